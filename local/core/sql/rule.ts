import type { Statement } from './ast.ts';
import { explainWhere } from './explain.ts';
import { drive, type ExternalCalls, NO_CALLS } from './external.ts';
import { payloadOf, type SqlEnvironment, type SqlMessage } from './message.ts';
import { parseStatement } from './parser.ts';
import { compileStatement, type Program } from './program.ts';
import { newEvaluation, Scope } from './scope.ts';
import { basicIngest, compileTopicFilter } from './topic.ts';
import { jsonText, type SqlObject, type SqlValue } from './values.ts';

export interface CompileOptions {
  /** Names of the service functions that the environment answers; see {@link EXTERNAL_FUNCTIONS}. */
  readonly services?: readonly string[];
}

export interface NotMatched {
  readonly matched: false;
  /** One sentence with the values seen; worked out when it is read. */
  readonly why: string;
}

export interface Matched {
  readonly matched: true;
  /** What the actions receive: JSON, or the raw payload of a `SELECT *`. */
  readonly payload: Uint8Array;
  /** The same before it was written; Undefined if `binary`. */
  readonly value: SqlValue;
  /** The payload was not JSON and passes as it came. */
  readonly binary: boolean;
  /** What SET bound, for the actions' templates. */
  readonly variables: SqlObject;
}

export type RuleOutcome = Matched | NotMatched;

export interface CompiledRule {
  readonly sql: string;
  readonly statement: Statement;
  /** Absent in a rule that Basic Ingest alone reaches. */
  readonly topicFilter?: string;
  /** Service functions it calls; if there are any, only evaluateAsync can run it. */
  readonly services: readonly string[];
  /** FROM, SET, WHERE and SELECT. A topic of Basic Ingest passes any FROM. */
  evaluate(message: SqlMessage, env: SqlEnvironment): RuleOutcome;
  /** @throws {ExternalCallError} when a service fails outside get_or_default: AWS runs no action then */
  evaluateAsync(message: SqlMessage, env: SqlEnvironment): Promise<RuleOutcome>;
}

/**
 * Compiles the statement of a rule, of SQL version 2016-03-23. Evaluating parses nothing but the
 * payload, and that only if the rule looks into it.
 *
 * @throws {SqlSyntaxError} for what is not IoT SQL
 * @throws {UnsupportedSqlError} for what calls a service that is not given
 */
export function compileRule(sql: string, options: CompileOptions = {}): CompiledRule {
  const statement = parseStatement(sql);
  const program = compileStatement(statement, new Set(options.services));
  const { topicFilter } = statement;
  const inFrom = topicFilter === undefined ? () => true : compileTopicFilter(topicFilter);
  const run = (message: SqlMessage, env: SqlEnvironment, calls: ExternalCalls): RuleOutcome => {
    if (!inFrom(message.topic) && basicIngest(message.topic) === undefined) {
      return new Unmatched(() => `topic '${message.topic}' is not in FROM '${topicFilter}'`);
    }
    return runProgram(statement, program, message, env, calls);
  };
  return {
    sql,
    statement,
    ...(topicFilter === undefined ? {} : { topicFilter }),
    services: program.services,
    evaluate: (message, env) => run(message, env, NO_CALLS),
    evaluateAsync: (message, env) =>
      program.services.length === 0
        ? Promise.resolve(run(message, env, NO_CALLS))
        : drive(env, (repeatable, calls) => run(message, repeatable, calls)),
  };
}

function runProgram(
  statement: Statement,
  program: Program,
  message: SqlMessage,
  env: SqlEnvironment,
  calls: ExternalCalls,
): RuleOutcome {
  const evaluation = newEvaluation(message, env, calls);
  const scope = new Scope(evaluation);
  program.bind(scope);
  if (program.where !== undefined && program.where(scope) !== true) {
    return new Unmatched(() => explainWhere(statement, program.services, message, env, calls));
  }
  const { variables } = evaluation;
  if (program.selectsAll && !payloadOf(message).isJson) {
    return { matched: true, payload: message.payload, value: undefined, binary: true, variables };
  }
  const value = program.select(scope);
  const text = jsonText(value);
  if (text === undefined) return new Unmatched(() => 'the outgoing payload is too large to write');
  return { matched: true, payload: Buffer.from(text), value, binary: false, variables };
}

/** Most messages match few rules, so the sentence is made only for whoever reads it. */
class Unmatched implements NotMatched {
  readonly matched = false;
  readonly #explain: () => string;

  constructor(explain: () => string) {
    this.#explain = explain;
  }

  get why(): string {
    return this.#explain();
  }

  toJSON(): NotMatched {
    return { matched: false, why: this.why };
  }
}
