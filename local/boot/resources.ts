import type * as z from 'zod';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';

/** A template that cannot be booted: one line per finding, each naming the resource. */
export class BootError extends Error {
  override readonly name = 'BootError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The template cannot be started here:\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

export const ofType = (stack: ResolvedStack, type: string): ResolvedResource[] =>
  [...stack.resources.values()].filter((resource) => resource.type === type);

/** The ARN that CloudFormation knows the resource by. */
export function arnOf({ arn, logicalId, type }: ResolvedResource): string {
  if (arn !== undefined) return arn;
  throw new BootError([`${logicalId}: a ${type} has no ARN`]);
}

/**
 * The resource's properties in a known shape.
 * @throws {BootError} naming the resource and each property at fault
 */
export function propertiesOf<T>(
  { logicalId, properties }: ResolvedResource,
  schema: z.ZodType<T>,
): T {
  const result = schema.safeParse(properties);
  if (result.success) return result.data;
  throw new BootError(
    result.error.issues.map(({ path, message }) => `${logicalId}.${path.join('.')}: ${message}`),
  );
}

/** Turns whatever a piece says of a declaration it cannot take into a {@link BootError}. */
export function collectProblems<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof BootError) throw error;
    throw new BootError([error instanceof Error ? error.message : String(error)]);
  }
}
