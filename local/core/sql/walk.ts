import type { Expression, Select, Statement, Template } from './ast.ts';

/** Every expression of a statement or template, outermost first: for checks of rules. */
export function* walkExpressions(tree: Statement | Template): Generator<Expression> {
  if ('parts' in tree) {
    for (const part of tree.parts) if (typeof part !== 'string') yield* walk(part);
    return;
  }
  for (const { value } of tree.assignments) yield* walk(value);
  for (const value of valuesOf(tree.select)) yield* walk(value);
  if (tree.where !== undefined) yield* walk(tree.where);
}

function* walk(expression: Expression): Generator<Expression> {
  yield expression;
  for (const child of childrenOf(expression)) yield* walk(child);
}

const valuesOf = (select: Select): readonly Expression[] =>
  select.kind === 'value' ? [select.value] : select.items.map(({ value }) => value);

function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
    case 'name':
    case 'star':
    case 'variable':
      return [];
    case 'member':
      return [expression.object];
    case 'unary':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'call':
      return expression.args;
    case 'cast':
      return [expression.value];
    case 'array':
      return expression.items;
    case 'object':
      return expression.entries.map(({ value }) => value);
    case 'case':
      return [
        expression.subject,
        ...expression.branches.flatMap(({ when, result }) => [when, result]),
        ...(expression.otherwise === undefined ? [] : [expression.otherwise]),
      ];
    case 'select':
      return [
        ...valuesOf(expression.select),
        expression.from,
        ...(expression.where === undefined ? [] : [expression.where]),
      ];
  }
}
