import * as z from 'zod';

/**
 * The environment, checked once when a container starts.
 *
 * @throws {Error} naming each variable that is missing or wrong, and what it wants; never its value
 */
export function readEnvironment<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<z.ZodObject<Shape>> {
  const result = z.object(shape).safeParse(environment);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`environment: ${problems.join('; ')}`);
}

/** A name of a resource: a string that is there. */
export const ResourceName = z
  .string({ error: 'wants the name of a resource' })
  .min(1, 'wants the name of a resource');

const DAYS_WANTED = 'wants whole days, 1 to 36500';

/** How long something is kept. */
export const WholeDays = z
  .string({ error: DAYS_WANTED })
  .regex(/^\d{1,5}$/, DAYS_WANTED)
  .transform(Number)
  .refine((days) => days >= 1 && days <= 36_500, DAYS_WANTED);

export const LogLevel = z
  .enum(['debug', 'info', 'warn', 'error'], { error: 'wants debug, info, warn or error' })
  .default('info');
