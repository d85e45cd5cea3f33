/** Says what an evaluation saw, step by step: the statement compiled once more, with a trace. */
import type { Expression, Statement } from './ast.ts';
import type { Trace } from './compile.ts';
import { positionOf } from './errors.ts';
import { drive, type ExternalCalls, NO_CALLS } from './external.ts';
import { payloadOf, type SqlEnvironment, type SqlMessage } from './message.ts';
import { compileStatement, type Program } from './program.ts';
import type { CompiledRule } from './rule.ts';
import { newEvaluation, Scope } from './scope.ts';
import { jsonText, type SqlValue, type TypeName, typeName } from './values.ts';

/** The value of one sub-expression; a step of a nested SELECT repeats for each element. */
export interface ExplainStep {
  readonly clause: 'SET' | 'WHERE' | 'SELECT';
  readonly source: string;
  readonly line: number;
  readonly column: number;
  readonly value: SqlValue;
  readonly type: TypeName;
  /** The value as JSON, or `Undefined`. */
  readonly text: string;
  /** Why it is Undefined, where it is. */
  readonly why?: string;
}

const MOST_STEPS = 1_000;

/**
 * The values a rule sees in a message, innermost first, in the order of evaluation; SELECT has no
 * steps where WHERE did not pass. At most 1,000 steps. FROM is not looked at.
 */
export function explain(
  rule: CompiledRule,
  message: SqlMessage,
  env: SqlEnvironment,
): readonly ExplainStep[] {
  return trace(rule.statement, rule.services, message, env, NO_CALLS);
}

/** {@link explain} for a rule that calls services. */
export function explainAsync(
  rule: CompiledRule,
  message: SqlMessage,
  env: SqlEnvironment,
): Promise<readonly ExplainStep[]> {
  return drive(env, (repeatable, calls) =>
    trace(rule.statement, rule.services, message, repeatable, calls),
  );
}

/** One sentence on a WHERE that was not true, with the values it saw. */
export function explainWhere(
  statement: Statement,
  services: readonly string[],
  message: SqlMessage,
  env: SqlEnvironment,
  calls: ExternalCalls,
): string {
  const { where, source } = statement;
  if (where === undefined) return 'there is no WHERE';
  const steps = trace(statement, services, message, env, calls);
  const inWhere = new Map(
    steps.filter(({ clause }) => clause === 'WHERE').map((step) => [step.source, step.text]),
  );
  const condition = source.slice(where.start, where.end);
  const seen = new Set(
    leavesOf(where).map(({ start, end }) => {
      const text = source.slice(start, end);
      return `${text} = ${inWhere.get(text) ?? 'Undefined'}`;
    }),
  );
  const values = seen.size === 0 ? '' : `: ${[...seen].join(', ')}`;
  return `WHERE ${condition} was ${inWhere.get(condition) ?? textOf(literalOf(where))}${values}`;
}

const literalOf = (expression: Expression): SqlValue =>
  expression.kind === 'literal' ? expression.value : undefined;

function trace(
  statement: Statement,
  services: readonly string[],
  message: SqlMessage,
  env: SqlEnvironment,
  calls: ExternalCalls,
): readonly ExplainStep[] {
  const recorder = new Recorder(statement, message);
  const program = compileStatement(statement, new Set(services), recorder.trace);
  runTraced(program, new Scope(newEvaluation(message, env, calls)), recorder);
  return recorder.steps;
}

function runTraced(program: Program, scope: Scope, recorder: Recorder): void {
  program.bind(scope);
  recorder.clause = 'WHERE';
  if (program.where !== undefined && program.where(scope) !== true) return;
  recorder.clause = 'SELECT';
  program.select(scope);
}

class Recorder {
  clause: ExplainStep['clause'] = 'SET';
  readonly steps: ExplainStep[] = [];
  readonly #statement: Statement;
  readonly #message: SqlMessage;
  readonly #latest = new Map<Expression, SqlValue>();

  constructor(statement: Statement, message: SqlMessage) {
    this.#statement = statement;
    this.#message = message;
  }

  readonly trace: Trace = (expression, evaluate) => (scope) => {
    const value = evaluate(scope);
    this.#latest.set(expression, value);
    if (expression.kind !== 'literal' && this.steps.length < MOST_STEPS) {
      this.steps.push(this.#step(expression, value, scope));
    }
    return value;
  };

  #step(expression: Expression, value: SqlValue, scope: Scope): ExplainStep {
    const { source } = this.#statement;
    const why = value === undefined ? this.#whyUndefined(expression, scope) : undefined;
    return {
      clause: this.clause,
      source: source.slice(expression.start, expression.end),
      ...positionOf(source, expression.start),
      value,
      type: typeName(value),
      text: textOf(value),
      ...(why === undefined ? {} : { why }),
    };
  }

  #whyUndefined(expression: Expression, scope: Scope): string | undefined {
    if (scope.isPayload && /^(name|star)$/.test(expression.kind)) {
      if (!payloadOf(this.#message).isJson) return 'the payload is not JSON';
    }
    switch (expression.kind) {
      case 'name':
        return `there is no field ${expression.name}`;
      case 'member':
        return `no field ${expression.name} in ${this.#seen(expression.object)}`;
      case 'unary':
        return `no result of ${expression.operator} for ${this.#seen(expression.operand)}`;
      case 'binary':
        return `no result of ${expression.operator} for ${this.#seen(expression.left)} and ${this.#seen(expression.right)}`;
      case 'call':
        return `no result of ${expression.name} for ${expression.args.map((argument) => this.#seen(argument)).join(', ') || 'this message'}`;
      case 'cast':
        return `no ${expression.type} for ${this.#seen(expression.value)}`;
      case 'case':
        return this.#latest.get(expression.subject) === undefined
          ? 'the value to compare is Undefined'
          : 'no WHEN fits, or what it gives is Undefined';
      default:
        return undefined;
    }
  }

  #seen(expression: Expression): string {
    const value = this.#latest.get(expression);
    return value === undefined || value === null
      ? typeName(value)
      : `${typeName(value)} ${textOf(value)}`;
  }
}

const LONGEST_TEXT = 200;

function textOf(value: SqlValue): string {
  if (value === undefined) return 'Undefined';
  const text = jsonText(value) ?? 'a value too large to write';
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

/** What a condition looks at: fields, variables, and calls that take none of these. */
function leavesOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
      return [];
    case 'unary':
      return leavesOf(expression.operand);
    case 'binary':
      return [...leavesOf(expression.left), ...leavesOf(expression.right)];
    case 'cast':
      return leavesOf(expression.value);
    case 'call': {
      const inner = expression.args.flatMap(leavesOf);
      return inner.length === 0 ? [expression] : inner;
    }
    case 'case':
      return [
        ...leavesOf(expression.subject),
        ...expression.branches.flatMap(({ when }) => leavesOf(when)),
      ];
    default:
      return [expression];
  }
}
