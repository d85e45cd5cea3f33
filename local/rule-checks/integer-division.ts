import { type Expression, walkExpressions } from '../core/sql/index.ts';
import type { DeclaredRule, Finding } from './declared.ts';

/**
 * Divisions whose result depends on whether a value happens to be whole. The operator table of the guide has Int by
 * Int as Int, its SET page prints a fraction, and SQL 2016-03-23 turns 7.0 into the Int 7.
 */
export function ambiguousDivisions({ name, statement, actions }: DeclaredRule): Finding[] {
  const inStatement = statement === undefined ? [] : [...walkExpressions(statement)];
  const places = [
    ...findIn(inStatement, statement?.source ?? '', `${name}, SQL`),
    ...actions.flatMap(({ where, substitutions }) =>
      substitutions.flatMap(({ path, text, expressions }) =>
        findIn(expressions, text, `${where}: ${path}`),
      ),
    ),
  ];
  return places.map(({ where, source }) => ({
    code: 'integer-division',
    where,
    problem: `${source} may cut off the fraction where both values are whole; multiply by a fraction (x * 0.1), or divide cast(x AS String), which is never an Int, or take trunc(…, 0)`,
  }));
}

function findIn(expressions: readonly Expression[], source: string, where: string) {
  const wanted = new Set(expressions.flatMap(wholeOnPurpose));
  return expressions
    .filter((expression) => isAmbiguous(expression) && !wanted.has(expression))
    .map(({ start, end }) => ({ where, source: source.slice(start, end) }));
}

const isAmbiguous = (expression: Expression): boolean =>
  expression.kind === 'binary' &&
  expression.operator === '/' &&
  !isDecimal(expression.left) &&
  !isDecimal(expression.right);

/** A number with a fraction, or text, which counts as Decimal whatever it says. */
function isDecimal(expression: Expression): boolean {
  if (expression.kind === 'cast') return expression.type === 'String';
  if (expression.kind === 'unary') return isDecimal(expression.operand);
  if (expression.kind !== 'literal') return false;
  const { value } = expression;
  return typeof value === 'string' || (typeof value === 'number' && !Number.isInteger(value));
}

/** What trunc(…, 0) makes whole is the same either way. */
function wholeOnPurpose(expression: Expression): Expression[] {
  if (expression.kind !== 'call' || expression.name !== 'trunc') return [];
  const [value, places] = expression.args;
  const isZero = places?.kind === 'literal' && places.value === 0;
  return value !== undefined && isZero ? [value] : [];
}
