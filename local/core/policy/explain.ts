import type { CompiledPolicies, CompiledStatement } from './compile.ts';
import type { CompiledCondition } from './condition.ts';
import { allowsAttributes, CONNECT_ATTRIBUTES, covers, type PolicyRequest } from './evaluate.ts';
import { fixCondition, fixResource, fixVariable } from './fix.ts';
import { distance } from './nearness.ts';
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

/** Values of variables and condition keys, by name; null for those without one. */
export type Values = Readonly<Record<string, string | readonly string[] | null>>;

/** What the statement's variables and condition keys are in this request. */
export function valuesOf(
  { conditions }: CompiledStatement,
  resources: readonly Pattern[],
  context: PolicyContext,
): Values {
  const variables = [
    ...resources.flatMap((each) => each.variables),
    ...conditions.flatMap((each) => each.variables),
  ].map((variable) => [variable.name, variableValue(variable, context) ?? null] as const);
  const keys = conditions.map(({ key }) => [key, context[key] ?? null] as const);
  return Object.fromEntries([...variables, ...keys]);
}

/** ` (iot:ClientId = "t1")`, or nothing where there are no variables. */
function inWords(values: Values): string {
  const texts = Object.entries(values).map(([name, value]) =>
    value === null ? `${name} without a value` : `${name} = ${JSON.stringify(value)}`,
  );
  return texts.length === 0 ? '' : ` (${texts.join(', ')})`;
}

const withValues = (statement: CompiledStatement, context: PolicyContext): string =>
  inWords(valuesOf(statement, statement.resources, context));

export const explainAllowed = (statement: CompiledStatement, request: PolicyRequest): string =>
  `${what(request)} is allowed by ${whose(statement)}${withValues(statement, request.context)}.`;

export const explainDenied = (statement: CompiledStatement, request: PolicyRequest): string =>
  `${what(request)} is denied by ${whose(statement)}${withValues(statement, request.context)}; a Deny wins over every Allow.`;

export const fixDenied = (statement: CompiledStatement): string =>
  `narrow or remove the Deny in ${whose(statement)}`;

/** Why one Allow that speaks of the action did not allow. */
export interface NearMiss {
  readonly statement: CompiledStatement;
  readonly values: Values;
  /** Orders from nearest to farthest. */
  readonly cost: number;
  readonly because: string;
  readonly fix: string | undefined;
}

function nearMiss(
  statement: CompiledStatement,
  policies: CompiledPolicies,
  request: PolicyRequest,
): NearMiss {
  if (!covers(statement, request)) return missedResource(statement, request);
  const values = valuesOf(statement, statement.resources, request.context);
  const failing = statement.conditions.find(({ holds }) => !holds(request.context));
  if (failing !== undefined)
    return { statement, values, ...failedCondition(statement, failing, request) };
  if (!allowsAttributes(statement, policies, request))
    return { statement, values, ...silentOnAttributes(statement, request) };
  throw new Error(`${whose(statement)} allows ${what(request)}: nothing to explain`);
}

interface Candidate {
  readonly pattern: Pattern;
  readonly cost: number;
}

function missedResource(statement: CompiledStatement, request: PolicyRequest): NearMiss {
  const { context } = request;
  const { pattern, cost } = statement.resources
    .map((each): Candidate => ({ pattern: each, cost: distance(each, request) }))
    .reduce((best, each) => (each.cost < best.cost ? each : best));
  const about = { statement, cost, values: valuesOf(statement, [pattern], context) };
  const missing = unresolved(pattern, context)[0];
  if (missing === undefined || !couldMatch(statement, pattern, request)) {
    const because = `${allowing(statement, pattern, context)}${inWords(about.values)}`;
    return { ...about, because, fix: fixResource(pattern, request) };
  }
  const unknown = missing.known ? '' : ', as AWS IoT documents no policy variable of that name';
  return {
    ...about,
    because: `in ${whose(statement)} the variable ${missing.name} has no value${unknown}`,
    fix: missing.known ? fixVariable(missing.name, request) : fixUnknown(missing.name),
  };
}

/** What the statement allows where it comes nearest. */
function allowing(statement: CompiledStatement, pattern: Pattern, context: PolicyContext): string {
  const { resources, exceptResources } = statement;
  if (exceptResources) {
    const all = resources.map((each) => render(each, context)).join(' and ');
    return `${whose(statement)} allows all but ${all}`;
  }
  const others = resources.length - 1;
  const more = others === 0 ? '' : `, and ${others} other${others === 1 ? '' : 's'} that fit less`;
  return `${whose(statement)} allows ${render(pattern, context)}${more}`;
}

const fixUnknown = (name: string): string =>
  `write a variable that AWS IoT documents instead of \${${name}}; letter case counts`;

/** Whether the resource would fit, were the variables without a value anything at all. */
function couldMatch(
  { exceptResources }: CompiledStatement,
  pattern: Pattern,
  request: PolicyRequest,
) {
  if (exceptResources) return true;
  const open = pattern.parts.map((part) =>
    part.kind === 'variable' && variableValue(part, request.context) === undefined
      ? ({ kind: 'run' } as const)
      : part,
  );
  return matches(open, request.resource, request.context);
}

/** The resource fits and something else does not: nearer than any resource that misses. */
const COVERED = 0.5;

type Reason = Pick<NearMiss, 'cost' | 'because' | 'fix'>;

function failedCondition(
  statement: CompiledStatement,
  condition: CompiledCondition,
  request: PolicyRequest,
): Reason {
  const { operator, key, expected } = condition;
  const { context } = request;
  return {
    cost: COVERED,
    because: `${whose(statement)} asks ${operator} ${key} ${JSON.stringify(expected)}, and ${key} is ${
      context[key] === undefined ? 'absent' : JSON.stringify(context[key])
    }`,
    fix: fixCondition(condition, whose(statement), request),
  };
}

function silentOnAttributes(statement: CompiledStatement, { context }: PolicyRequest): Reason {
  const wanted = JSON.stringify(context[CONNECT_ATTRIBUTES]);
  return {
    cost: COVERED,
    because: `${whose(statement)} has no condition on ${CONNECT_ATTRIBUTES}, so it allows none of ${wanted}`,
    fix: `add to ${whose(statement)} the condition {"ForAllValues:StringEquals":{"${CONNECT_ATTRIBUTES}":${wanted}}}`,
  };
}

/** The Allow that comes nearest to allowing; undefined where none speaks of the action. */
export function nearestMiss(
  policies: CompiledPolicies,
  request: PolicyRequest,
): NearMiss | undefined {
  return policies
    .about(request.action)
    .allows.map((statement) => nearMiss(statement, policies, request))
    .toSorted((a, b) => a.cost - b.cost)[0];
}

export function explainRefused(
  miss: NearMiss | undefined,
  policies: CompiledPolicies,
  request: PolicyRequest,
): string {
  if (miss !== undefined)
    return `${what(request)} is refused as no statement allows it: ${miss.because}.`;
  const names = [...new Set(policies.statements.map(({ policy }) => `"${policy}"`))];
  const where = names.length === 0 ? 'there is no policy' : `none in ${names.join(', ')}`;
  return `${what(request)} is refused as no statement speaks of ${request.action}: ${where}.`;
}

export const fixRefused = (miss: NearMiss | undefined, request: PolicyRequest): string =>
  miss?.fix ?? `add Allow ${what(request)}`;
