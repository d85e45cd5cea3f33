import * as z from 'zod';

/** `iot`: policies of devices, as AWS IoT Core reads them. `iam`: policies of roles. */
export type Flavour = 'iot' | 'iam';

/** One policy as it is handed in: `document` is parsed JSON, checked here. */
export interface PolicySource {
  readonly name: string;
  readonly document: unknown;
}

/** A policy that cannot be used; `path` leads to the fault within the document. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly policy: string;
  readonly path: string;

  constructor(policy: string, path: string, problem: string) {
    super(`policy "${policy}", ${path === '' ? 'the document' : path}: ${problem}`);
    this.policy = policy;
    this.path = path;
  }
}

/** Where in which policy the compiler stands, so that every refusal can say it. */
export interface Place {
  readonly policy: string;
  readonly path: string;
}

export const fault = ({ policy, path }: Place, problem: string): PolicyError =>
  new PolicyError(policy, path, problem);

export const within = ({ policy, path }: Place, step: string): Place => ({
  policy,
  path: `${path}.${step}`,
});

const oneOrMany = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).min(1, 'an empty list matches nothing; leave the member out')]);

const Strings = oneOrMany(z.string());
const ConditionValue = z.union([z.string(), z.boolean(), z.number()]);

const Statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: Strings.optional(),
  NotAction: Strings.optional(),
  Resource: Strings.optional(),
  NotResource: Strings.optional(),
  Condition: z.record(z.string(), z.record(z.string(), oneOrMany(ConditionValue))).optional(),
});

const Document = z.strictObject({
  Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
  Id: z.string().optional(),
  Statement: oneOrMany(Statement),
});

export type PolicyDocument = z.infer<typeof Document>;
export type PolicyStatement = z.infer<typeof Statement>;
export type PolicyCondition = NonNullable<PolicyStatement['Condition']>;

export const list = <T>(value: T | readonly T[] | undefined): readonly T[] => {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as T];
};

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, step) =>
      typeof step === 'number'
        ? `${text}[${step}]`
        : `${text}${text === '' ? '' : '.'}${String(step)}`,
    '',
  );

/** The issue of a union that says most: of the branch which got furthest into the value. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors
    .flat()
    .map((each) => deepest({ ...each, path: [...issue.path, ...each.path] }));
  return inner.toSorted((a, b) => b.path.length - a.path.length)[0] ?? issue;
}

/**
 * Checks the grammar of a policy document; a single statement, action or resource may stand without its list.
 *
 * @throws {PolicyError} naming the member at fault
 * @see IAM User Guide, "Grammar of the IAM JSON policy language"; IoT Core Developer Guide, "AWS IoT Core policies"
 */
export function parsePolicy(source: PolicySource, flavour: Flavour): PolicyDocument {
  const result = Document.safeParse(source.document);
  if (!result.success) {
    const [first] = result.error.issues;
    const issue = first === undefined ? undefined : deepest(first);
    throw new PolicyError(
      source.name,
      pathText(issue?.path ?? []),
      issue?.message ?? 'not a policy',
    );
  }
  if (flavour === 'iot' && result.data.Version !== '2012-10-17')
    throw new PolicyError(source.name, 'Version', 'an IoT policy says "2012-10-17"');
  return result.data;
}
