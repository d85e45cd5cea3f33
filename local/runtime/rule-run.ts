import type { RuleOutcome, SqlEnvironment, SqlMessage } from '../core/sql/index.ts';
import { AwsError } from '../operations/operation.ts';
import type { RuleAction, Turn } from './rule-actions/action.ts';
import { errorRecord, type Failure } from './rule-actions/error-record.ts';
import { messageOf } from './rule-actions/index.ts';
import { type RetryOptions, withRetries } from './rule-actions/retry.ts';
import type { Rule } from './rule-declaration.ts';

/** What the engine asks of the world around it. */
export interface RulesEnvironment {
  readonly accountId: string;
  readonly region: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly uuid: () => string;
  readonly sleep: (ms: number) => Promise<void>;
  /** Functions of SQL that call a service, beside those that the sinks make possible. */
  readonly services?: NonNullable<SqlEnvironment['services']>;
}

export type Say = (
  level: 'warn' | 'error',
  message: string,
  details: Readonly<Record<string, unknown>>,
) => void;

interface Deps {
  readonly env: RulesEnvironment;
  readonly retries: RetryOptions;
  readonly say: Say;
}

/**
 * @returns a function that runs a rule for a message: evaluates it, does all of its actions side by side, and
 *   hands what failed to its error action, once
 */
export function createRuleRun({ env, retries, say }: Deps) {
  /** A service function that fails ends the rule for this message, without an error action. */
  const evaluate = async (
    { name, sql }: Rule,
    message: SqlMessage,
    sqlEnv: SqlEnvironment,
  ): Promise<RuleOutcome | undefined> => {
    try {
      return sql.services.length > 0
        ? await sql.evaluateAsync(message, sqlEnv)
        : sql.evaluate(message, sqlEnv);
    } catch (error) {
      const { topic } = message;
      say('error', `Rule ${name} was abandoned: ${messageOf(error)}`, { topic });
      return undefined;
    }
  };

  const perform = async (action: RuleAction, turn: Turn): Promise<Failure | undefined> => {
    let resource = action.resource;
    try {
      const delivery = await action.prepare(turn);
      resource = delivery.resource;
      await withRetries(delivery.attempt, retries, env);
      return undefined;
    } catch (error) {
      const where = `Message arrived on: ${turn.message.topic}, Action: ${action.name}, Resource: ${resource}`;
      return {
        failedAction: action.name,
        failedResource: resource,
        errorMessage: `${reasonOf(error)} ${where}`,
      };
    }
  };

  const handOver = async (rule: Rule, turn: Turn, failures: readonly Failure[]): Promise<void> => {
    const { topic, traceId = env.uuid() } = turn.message;
    say('warn', `Rule ${rule.name}: ${failures.length} of its actions failed`, { topic, failures });
    if (rule.errorAction === undefined) {
      say('error', `Rule ${rule.name} has no error action: the message is lost to it`, { topic });
      return;
    }
    const value = errorRecord(rule.name, turn.message, traceId, failures);
    const payload = Buffer.from(JSON.stringify(value));
    const failure = await perform(rule.errorAction, { ...turn, value, payload, binary: false });
    if (failure === undefined) return;
    say('error', `Rule ${rule.name}: its error action failed too`, { topic, failures: [failure] });
  };

  return async (rule: Rule, message: SqlMessage): Promise<void> => {
    const sqlEnv = environmentOf(env, rule);
    const outcome = await evaluate(rule, message, sqlEnv);
    if (!outcome?.matched) return;
    const { payload, value, binary, variables } = outcome;
    const turn: Turn = { message, env: sqlEnv, payload, value, binary, variables };
    const results = await Promise.all(rule.actions.map((action) => perform(action, turn)));
    const failures = results.filter((failure) => failure !== undefined);
    if (failures.length > 0) await handOver(rule, turn, failures);
  };
}

const environmentOf = (
  { accountId, region, now, random, uuid }: RulesEnvironment,
  { services }: Rule,
): SqlEnvironment => ({ nowMs: now(), accountId, region, random, uuid, services });

const reasonOf = (error: unknown): string =>
  error instanceof AwsError ? `${error.message} (${error.code})` : messageOf(error);
