import type { PolicyRequest } from './evaluate.ts';
import { matches, type Part, type Pattern, type Variable, variableValue } from './pattern.ts';

/**
 * How far a resource is from a pattern that misses it, level by level, so that among many patterns the one can be
 * told of that was most likely meant: a value that is still to be given is nearer than one that differs, that is
 * nearer than other words, and a value that this connection can never have is far.
 */
export function distance(pattern: Pattern, request: PolicyRequest): number {
  const levels = levelsOf(pattern.parts);
  const asked = request.resource.split('/');
  const known = new Map<string, number>();
  const from = (i: number, j: number): number => {
    const key = `${i} ${j}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const cost = cheapest(i, j);
    known.set(key, cost);
    return cost;
  };
  const cheapest = (i: number, j: number): number => {
    const level = levels[i];
    const left = asked.length - j;
    if (level === undefined) return left * COST.level;
    if (left === 0) return COST.level + from(i + 1, j);
    const most = level.some(({ kind }) => kind === 'run') ? left : 1;
    const taken = Array.from({ length: most }, (_, more) => {
      const text = asked.slice(j, j + more + 1).join('/');
      return levelCost(level, text, request, i === 0) + from(i + 1, j + more + 1);
    });
    return Math.min(...taken, COST.level + from(i + 1, j), COST.level + from(i, j + 1));
  };
  return from(0, 0);
}

const COST = {
  /** A variable that has no value yet. */
  missing: 1,
  /** `+` or `#`, meant as a wildcard. */
  mqttWildcard: 1.5,
  /** A variable with another value than the resource has there. */
  value: 2,
  /** A variable that this kind of connection never has a value for. */
  impossible: 3,
  words: 4,
  /** A level too many or too few. */
  level: 5,
  /** Another type of resource, or another account. */
  kind: 50,
};

function levelsOf(parts: readonly Part[]): readonly (readonly Part[])[] {
  const levels: Part[][] = [[]];
  for (const part of parts) {
    const pieces = part.kind === 'text' ? part.text.split('/') : undefined;
    if (pieces === undefined) levels.at(-1)?.push(part);
    for (const [index, text] of (pieces ?? []).entries()) {
      if (index > 0) levels.push([]);
      if (text !== '') levels.at(-1)?.push({ kind: 'text', text });
    }
  }
  return levels;
}

function levelCost(
  level: readonly Part[],
  text: string,
  { context }: PolicyRequest,
  first: boolean,
): number {
  if (matches(level, text, context)) return 0;
  const variables = level.filter((part) => part.kind === 'variable');
  const open = level.map((part) => (part.kind === 'variable' ? ({ kind: 'run' } as const) : part));
  if (variables.length > 0 && matches(open, text, context)) {
    return variables.reduce((sum, variable) => sum + variableCost(variable, context), 0);
  }
  if (level.some((part) => part.kind === 'text' && /^[+#]$/.test(part.text))) {
    return COST.mqttWildcard;
  }
  return first ? COST.kind : COST.words;
}

function variableCost(variable: Variable, context: PolicyRequest['context']): number {
  if (variableValue(variable, context) !== undefined) return COST.value;
  const offline = context['iot:ClientId'] === undefined;
  const needsClient = /^iot:(?:ClientId$|Connection\.Thing\.)/.test(variable.name);
  return offline && needsClient ? COST.impossible : COST.missing;
}
