import type { CompiledPolicies, CompiledStatement } from './compile.ts';
import type { CompiledCondition } from './condition.ts';
import { allowsAttributes, CONNECT_ATTRIBUTES, covers, type PolicyRequest } from './evaluate.ts';
import { fixCondition, fixResource, fixVariable } from './fix.ts';
import {
  matches,
  type Pattern,
  type PolicyContext,
  render,
  unresolved,
  variableValue,
} from './pattern.ts';

const what = ({ action, resource }: PolicyRequest): string => `${action} on ${resource}`;

const whose = ({ id, policy }: CompiledStatement): string =>
  `statement ${id} of policy "${policy}"`;

const quoted = (value: string | readonly string[] | undefined): string =>
  value === undefined ? 'without a value' : `= ${JSON.stringify(value)}`;

/** `iot:ClientId = "t1"` for each variable and condition key of the statement, one time each. */
function valuesText(statement: CompiledStatement, context: PolicyContext): string {
  const variables = [
    ...statement.resources.flatMap((each) => each.variables),
    ...statement.conditions.flatMap((each) => each.variables),
  ].map((variable) => `${variable.name} ${quoted(variableValue(variable, context))}`);
  const keys = statement.conditions.map(({ key }) => `${key} ${quoted(context[key])}`);
  return [...new Set([...variables, ...keys])].join(', ');
}

const withValues = (statement: CompiledStatement, context: PolicyContext): string => {
  const values = valuesText(statement, context);
  return values === '' ? '' : ` (${values})`;
};

export const explainAllowed = (statement: CompiledStatement, request: PolicyRequest): string =>
  `${what(request)} is allowed by ${whose(statement)}${withValues(statement, request.context)}.`;

export const explainDenied = (statement: CompiledStatement, request: PolicyRequest): string =>
  `${what(request)} is denied by ${whose(statement)}${withValues(statement, request.context)}; a Deny wins over every Allow.`;

export const fixDenied = (statement: CompiledStatement): string =>
  `narrow or remove the Deny in ${whose(statement)}`;

/** Why one Allow that speaks of the action did not allow; `rank` orders from nearest to farthest. */
interface NearMiss {
  readonly rank: number;
  readonly because: string;
  readonly fix: string | undefined;
}

function nearMiss(
  statement: CompiledStatement,
  policies: CompiledPolicies,
  request: PolicyRequest,
): NearMiss {
  if (!covers(statement, request)) return missedResource(statement, request);
  const failing = statement.conditions.find(({ holds }) => !holds(request.context));
  if (failing !== undefined) return failedCondition(statement, failing, request);
  if (!allowsAttributes(statement, policies, request))
    return silentOnAttributes(statement, request);
  throw new Error(`${whose(statement)} allows ${what(request)}: nothing to explain`);
}

function missedResource(statement: CompiledStatement, request: PolicyRequest): NearMiss {
  const { resources, exceptResources } = statement;
  const { context, resource } = request;
  const nearest = resources
    .map((pattern) => ({ pattern, shared: sharedPrefix(render(pattern, context), resource) }))
    .reduce((best, each) => (each.shared > best.shared ? each : best));
  const missing = resources.flatMap((pattern) => unresolved(pattern, context))[0];
  const covered = `${whose(statement)} allows ${exceptResources ? 'all but ' : ''}${rendered(resources, context)}`;
  if (missing === undefined || !couldMatch(statement, request)) {
    return {
      rank: 1 - nearest.shared / (resource.length + 1),
      because: `${covered}${withValues(statement, context)}`,
      fix: fixResource(nearest.pattern, request),
    };
  }
  const unknown = missing.known ? '' : ', as AWS IoT documents no policy variable of that name';
  return {
    rank: 0.01,
    because: `in ${whose(statement)} the variable ${missing.name} has no value${unknown}`,
    fix: missing.known ? fixVariable(missing.name, request) : fixUnknown(missing.name),
  };
}

const rendered = (patterns: readonly Pattern[], context: PolicyContext): string =>
  patterns.map((pattern) => render(pattern, context)).join(' and ');

const fixUnknown = (name: string): string =>
  `write a variable that AWS IoT documents instead of \${${name}}; letter case counts`;

/** Whether the resource would fit, were the variables without a value anything at all. */
function couldMatch({ resources, exceptResources }: CompiledStatement, request: PolicyRequest) {
  if (exceptResources) return true;
  return resources.some((pattern) => {
    if (unresolved(pattern, request.context).length === 0) return false;
    const open = pattern.parts.map((part) =>
      part.kind === 'variable' ? ({ kind: 'run' } as const) : part,
    );
    return matches(open, request.resource, request.context);
  });
}

function sharedPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

function failedCondition(
  statement: CompiledStatement,
  condition: CompiledCondition,
  request: PolicyRequest,
): NearMiss {
  const { operator, key, expected } = condition;
  const { context } = request;
  return {
    rank: 0,
    because: `${whose(statement)} asks ${operator} ${key} ${JSON.stringify(expected)}, and ${key} is ${
      context[key] === undefined ? 'absent' : JSON.stringify(context[key])
    }`,
    fix: fixCondition(condition, whose(statement), request),
  };
}

function silentOnAttributes(statement: CompiledStatement, { context }: PolicyRequest): NearMiss {
  const wanted = JSON.stringify(context[CONNECT_ATTRIBUTES]);
  return {
    rank: 0,
    because: `${whose(statement)} has no condition on ${CONNECT_ATTRIBUTES}, so it allows none of ${wanted}`,
    fix: `add to ${whose(statement)} the condition {"ForAllValues:StringEquals":{"${CONNECT_ATTRIBUTES}":${wanted}}}`,
  };
}

function nearest(policies: CompiledPolicies, request: PolicyRequest): NearMiss | undefined {
  return policies
    .about(request.action)
    .allows.map((statement) => nearMiss(statement, policies, request))
    .toSorted((a, b) => a.rank - b.rank)[0];
}

export function explainRefused(policies: CompiledPolicies, request: PolicyRequest): string {
  const miss = nearest(policies, request);
  if (miss !== undefined)
    return `${what(request)} is refused as no statement allows it: ${miss.because}.`;
  const names = [...new Set(policies.statements.map(({ policy }) => `"${policy}"`))];
  const where = names.length === 0 ? 'there is no policy' : `none in ${names.join(', ')}`;
  return `${what(request)} is refused as no statement speaks of ${request.action}: ${where}.`;
}

export const fixRefused = (policies: CompiledPolicies, request: PolicyRequest): string =>
  nearest(policies, request)?.fix ?? `add Allow ${what(request)}`;
