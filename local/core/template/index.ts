import * as z from 'zod';
import { holds } from './conditions.ts';
import { hasName, type Identity, identify, type StackOptions } from './identity.ts';
import { evaluateAll, NO_VALUE, type Scope } from './intrinsics.ts';
import { type ParameterValue, parameterValue } from './parameters.ts';
import { attempt, TemplateProblem } from './problem.ts';
import { type Resource, Template } from './schema.ts';

export type { StackOptions } from './identity.ts';

export interface ResolvedResource extends Identity {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface ResolvedStack {
  /** In an order in which each comes after those it refers to. */
  readonly resources: ReadonlyMap<string, ResolvedResource>;
  readonly outputs: ReadonlyMap<string, unknown>;
  /** `path: what is wrong`; a stack with problems is not to be started. */
  readonly problems: readonly string[];
}

/**
 * The resources of a compiled CloudFormation template with every intrinsic function resolved, and
 * with the names, ids and ARNs AWS would give them. Resources whose condition is false are left out.
 * Never throws on a template's account: what is wrong or not supported stands in `problems`.
 *
 * @param template  the parsed JSON, as `sls package` writes it
 * @see CloudFormation User Guide, "Intrinsic function reference"
 */
export function resolveTemplate(template: unknown, stack: StackOptions): ResolvedStack {
  const parsed = Template.safeParse(template);
  if (parsed.success) return resolve(parsed.data, stack);
  const problems = parsed.error.issues.map(schemaProblem);
  return { resources: new Map(), outputs: new Map(), problems };
}

const schemaProblem = (issue: z.core.$ZodIssue): string => {
  const path = issue.path.join('.') || 'template';
  return issue.code === 'unrecognized_keys'
    ? `${path}: ${issue.keys.join(', ')} is not supported`
    : `${path}: ${issue.message}`;
};

function resolve(template: Template, stack: StackOptions): ResolvedStack {
  const problems: string[] = [];
  const parameters = resolveParameters(template, stack, problems);
  const condition = conditionsOf(template, () => scope);
  const { resources, resourceOf } = resourcesOf(template, stack, problems, () => scope);
  const scope: Scope = {
    condition,
    mapping: mappingsOf(template),
    attribute: (logicalId, attribute, path) =>
      attributeOf(resourceOf(logicalId, path), attribute, path),
    reference: (name, path) => {
      const pseudo = pseudoParameter(name, stack, path);
      if (pseudo !== undefined) return pseudo;
      if (Object.hasOwn(template.Parameters, name)) return parameters.get(name);
      return resourceOf(name, path).physicalId;
    },
  };
  for (const logicalId of Object.keys(template.Resources)) {
    attempt(problems, undefined, () => {
      if (isWanted(template.Resources[logicalId]?.Condition, scope, `Resources.${logicalId}`))
        resourceOf(logicalId, 'Resources');
    });
  }
  const outputs = outputsOf(template, scope, problems);
  problems.push(...sharedNames(resources));
  return { resources, outputs, problems };
}

function resolveParameters(template: Template, stack: StackOptions, problems: string[]) {
  const values = new Map<string, ParameterValue>();
  for (const name of Object.keys(stack.parameters ?? {})) {
    if (!Object.hasOwn(template.Parameters, name)) {
      problems.push(`Parameters.${name}: the template declares no such parameter`);
    }
  }
  for (const [name, parameter] of Object.entries(template.Parameters)) {
    const given = stack.parameters?.[name];
    values.set(
      name,
      attempt(problems, '', () => parameterValue(name, parameter, given)),
    );
  }
  return values;
}

const PSEUDO: Readonly<Record<string, (stack: StackOptions) => unknown>> = {
  'AWS::AccountId': ({ accountId }) => accountId,
  'AWS::Region': ({ region }) => region,
  'AWS::Partition': ({ partition }) => partition,
  'AWS::StackName': ({ stackName }) => stackName,
  'AWS::URLSuffix': ({ partition }) =>
    partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com',
  'AWS::NotificationARNs': () => [],
  'AWS::NoValue': () => NO_VALUE,
  'AWS::StackId': ({ accountId, region, partition, stackName }) =>
    `arn:${partition}:cloudformation:${region}:${accountId}:stack/${stackName}/00000000-0000-4000-a000-000000000000`,
};

function pseudoParameter(name: string, stack: StackOptions, path: string): unknown {
  const value = PSEUDO[name]?.(stack);
  if (value !== undefined || !name.startsWith('AWS::')) return value;
  throw new TemplateProblem(path, `there is no pseudo parameter ${name}`);
}

function mappingsOf({ Mappings }: Template): Scope['mapping'] {
  return (map, first, second, path) => {
    const value = Mappings[map]?.[first]?.[second];
    if (value !== undefined) return value;
    throw new TemplateProblem(path, `there is no Mappings.${map}.${first}.${second}`);
  };
}

function conditionsOf({ Conditions }: Template, scope: () => Scope): Scope['condition'] {
  const known = new Map<string, boolean>();
  const underWay: string[] = [];
  return (name, path) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    if (!Object.hasOwn(Conditions, name)) {
      throw new TemplateProblem(path, `the template declares no condition "${name}"`);
    }
    if (underWay.includes(name)) {
      throw new TemplateProblem(path, `circular condition ${[...underWay, name].join(' → ')}`);
    }
    underWay.push(name);
    try {
      const value = holds(Conditions[name], `Conditions.${name}`, scope());
      known.set(name, value);
      return value;
    } finally {
      underWay.pop();
    }
  };
}

const isWanted = (condition: string | undefined, scope: Scope, path: string): boolean =>
  condition === undefined || scope.condition(condition, path);

/** Resolves on demand, so that what is referred to is always there before what refers to it. */
function resourcesOf(
  template: Template,
  stack: StackOptions,
  problems: string[],
  scope: () => Scope,
) {
  const resources = new Map<string, ResolvedResource>();
  const underWay: string[] = [];
  const resourceOf = (logicalId: string, path: string): ResolvedResource => {
    const before = resources.get(logicalId);
    if (before) return before;
    const resource = declared(logicalId, path);
    underWay.push(logicalId);
    try {
      waitFor(resource, logicalId);
      const resolved = build(resource, logicalId);
      resources.set(logicalId, resolved);
      return resolved;
    } finally {
      underWay.pop();
    }
  };
  const declared = (logicalId: string, path: string): Resource => {
    const resource = template.Resources[logicalId];
    if (!resource || !Object.hasOwn(template.Resources, logicalId)) {
      throw new TemplateProblem(
        path,
        `"${logicalId}" is neither a resource nor a parameter of the template`,
      );
    }
    if (underWay.includes(logicalId)) {
      const circle = [...underWay.slice(underWay.indexOf(logicalId)), logicalId];
      throw new TemplateProblem(path, `circular dependency ${circle.join(' → ')}`);
    }
    if (!isWanted(resource.Condition, scope(), path)) {
      throw new TemplateProblem(
        path,
        `refers to ${logicalId}, whose condition ${resource.Condition} is false`,
      );
    }
    return resource;
  };
  const waitFor = ({ DependsOn }: Resource, logicalId: string): void => {
    for (const other of DependsOn) {
      attempt(problems, undefined, () => {
        const path = `Resources.${logicalId}.DependsOn`;
        const wanted = isWanted(template.Resources[other]?.Condition, scope(), path);
        if (wanted) resourceOf(other, path);
      });
    }
  };
  const build = ({ Type, Properties }: Resource, logicalId: string): ResolvedResource => {
    const path = `Resources.${logicalId}.Properties`;
    const value = evaluateAll(Properties, path, scope(), problems);
    const properties = z.record(z.string(), z.unknown()).catch({}).parse(value);
    return {
      logicalId,
      type: Type,
      properties,
      ...identify(Type, { logicalId, properties, stack }),
    };
  };
  return { resources, resourceOf };
}

function attributeOf(resource: ResolvedResource, attribute: string, path: string): unknown {
  if (Object.hasOwn(resource.attributes, attribute)) return resource.attributes[attribute];
  throw new TemplateProblem(
    path,
    `${resource.type} (${resource.logicalId}) has no attribute "${attribute}"`,
  );
}

function outputsOf({ Outputs }: Template, scope: Scope, problems: string[]) {
  const outputs = new Map<string, unknown>();
  for (const [name, { Value, Condition }] of Object.entries(Outputs)) {
    const path = `Outputs.${name}`;
    const wanted = attempt(problems, false, () => isWanted(Condition, scope, path));
    if (!wanted) continue;
    const value = evaluateAll(Value, path, scope, problems);
    if (value !== NO_VALUE) outputs.set(name, value);
  }
  return outputs;
}

/** Two resources of one type under one name: the second would fail to be created. */
function sharedNames(resources: ReadonlyMap<string, ResolvedResource>): string[] {
  const owners = new Map<string, string>();
  const problems: string[] = [];
  for (const { logicalId, type, physicalId } of resources.values()) {
    if (!hasName(type)) continue;
    const name = `${type} ${physicalId}`;
    const owner = owners.get(name);
    if (owner === undefined) owners.set(name, logicalId);
    else problems.push(`Resources.${logicalId}: ${owner} is already the ${name}`);
  }
  return problems;
}
