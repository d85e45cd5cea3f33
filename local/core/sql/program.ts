import type { Assignment, Expression, Select, Statement } from './ast.ts';
import { Compiler, type Trace } from './compile.ts';
import { DOCUMENTED_SIZE } from './limits.ts';
import type { Evaluate, Scope } from './scope.ts';
import { jsonText, type SqlValue, setField } from './values.ts';

/** A statement, compiled. */
export interface Program {
  readonly bind: (scope: Scope) => void;
  readonly where: Evaluate | undefined;
  readonly select: Evaluate;
  /** `SELECT *` alone, which passes a payload that is not JSON on as it came. */
  readonly selectsAll: boolean;
  readonly services: readonly string[];
}

export function compileStatement(
  statement: Statement,
  services: ReadonlySet<string>,
  trace?: Trace,
): Program {
  const variables = new Set<string>();
  const compiler = new Compiler(statement.source, {
    services,
    variables,
    ...(trace === undefined ? {} : { trace }),
  });
  const binders = statement.assignments.map((assignment) => {
    const bind = binder(assignment, compiler);
    variables.add(assignment.name);
    return bind;
  });
  const where = statement.where === undefined ? undefined : compiler.compile(statement.where);
  const select = compiler.select(statement.select);
  return {
    bind: (scope) => {
      for (const bind of binders) bind(scope);
    },
    where,
    select,
    selectsAll: isStar(statement.select),
    services: compiler.services,
  };
}

function isStar(select: Select): boolean {
  if (select.kind === 'value') return select.value.kind === 'star';
  const [first, second] = select.items;
  return second === undefined && first?.path === undefined && first?.value.kind === 'star';
}

function binder({ name, value }: Assignment, compiler: Compiler): (scope: Scope) => void {
  const evaluate = compiler.compile(value);
  const bounded = isPartOfPayload(value) ? evaluate : withinSize(evaluate);
  return (scope) => setField(scope.evaluation.variables, name, bounded(scope));
}

/** A part of the payload is no larger than the payload, and so within the documented bound. */
const isPartOfPayload = (value: Expression): boolean =>
  value.kind === 'member'
    ? isPartOfPayload(value.object)
    : value.kind === 'name' || value.kind === 'star';

/** A variable holds at most 128 KiB; a larger value is Undefined. */
const withinSize =
  (evaluate: Evaluate): Evaluate =>
  (scope) => {
    const value = evaluate(scope);
    return sizeOf(value) > DOCUMENTED_SIZE ? undefined : value;
  };

function sizeOf(value: SqlValue): number {
  if (typeof value !== 'object' && typeof value !== 'string') return 0;
  const text = jsonText(value);
  return text === undefined ? Number.POSITIVE_INFINITY : Buffer.byteLength(text);
}
