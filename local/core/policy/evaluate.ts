import type { CompiledPolicies, CompiledStatement } from './compile.ts';
import { matches, type PolicyContext, unresolved } from './pattern.ts';

/** What someone wants to do: `iot:Publish` on `arn:aws:iot:…:topic/t`, with the values of the moment. */
export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: PolicyContext;
}

/** Whether resource and conditions of a statement that speaks of the action fit the request. */
export const applies = (statement: CompiledStatement, request: PolicyRequest): boolean =>
  covers(statement, request) && statement.conditions.every(({ holds }) => holds(request.context));

/**
 * Whether the statement speaks of the resource. A variable without a value fits nothing; an Allow on
 * everything *but* such a resource would thereby grow, so it covers nothing at all.
 */
export function covers(statement: CompiledStatement, request: PolicyRequest): boolean {
  const { resources, exceptResources, effect } = statement;
  const { resource, context } = request;
  const named = resources.some(({ parts }) => matches(parts, resource, context));
  if (!exceptResources) return named;
  if (effect === 'Allow' && resources.some((each) => unresolved(each, context).length > 0))
    return false;
  return !named;
}

export const CONNECT_ATTRIBUTES = 'iot:ConnectAttributes';

/**
 * A persistent session or a Last Will needs a statement whose condition speaks of them.
 *
 * @see IoT Core Developer Guide, "MQTT": using connectAttributes
 */
export function allowsAttributes(
  { conditions }: CompiledStatement,
  { flavour }: CompiledPolicies,
  { action, context }: PolicyRequest,
): boolean {
  if (flavour !== 'iot' || action !== 'iot:Connect') return true;
  const wanted = context[CONNECT_ATTRIBUTES];
  if (wanted === undefined || wanted.length === 0) return true;
  return conditions.some(({ key }) => key === CONNECT_ATTRIBUTES);
}

/** Names of the variables that have no value in the statements about an action. */
export function unresolvedVariables(
  policies: CompiledPolicies,
  action: string,
  context: PolicyContext,
): readonly string[] {
  const { allows, denies } = policies.about(action);
  const patterns = [...allows, ...denies].flatMap(({ resources }) => resources);
  return [
    ...new Set(patterns.flatMap((each) => unresolved(each, context)).map(({ name }) => name)),
  ];
}
