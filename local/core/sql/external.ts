/**
 * Functions that call a service. Evaluation is synchronous: a call whose answer is not there yet
 * ends it with {@link PendingCall}; the driver awaits the answer and evaluates again, with the
 * answers, random numbers and ids of the first run, until nothing is pending.
 */
import { ExternalCallError } from './errors.ts';
import type { SqlEnvironment } from './message.ts';
import { jsonText, type SqlValue } from './values.ts';

export interface ExternalCalls {
  /** `site` numbers the place in the statement; arguments tell calls of one place apart. */
  answer(site: number, functionName: string, args: readonly SqlValue[]): unknown;
}

class PendingCall {
  readonly key: string;
  readonly functionName: string;
  readonly args: readonly SqlValue[];

  constructor(key: string, functionName: string, args: readonly SqlValue[]) {
    this.key = key;
    this.functionName = functionName;
    this.args = args;
  }
}

type Answer = { readonly value: unknown } | { readonly error: ExternalCallError };

const MOST_CALLS = 1_000;

/** For evaluation without waiting. */
export const NO_CALLS: ExternalCalls = {
  answer(_site, functionName) {
    throw new TypeError(`${functionName} calls a service: evaluate with evaluateAsync`);
  },
};

/**
 * Runs an evaluation to its end, awaiting what it calls.
 *
 * @throws {ExternalCallError} when a service fails and the rule does not catch it with get_or_default
 */
export async function drive<T>(
  env: SqlEnvironment,
  run: (env: SqlEnvironment, calls: ExternalCalls) => T,
): Promise<T> {
  const answers = new Map<string, Answer>();
  const repeatable = recording(env);
  for (;;) {
    try {
      return run(repeatable(), callsFrom(answers));
    } catch (pending) {
      if (!(pending instanceof PendingCall)) throw pending;
      if (answers.size === MOST_CALLS) {
        throw new ExternalCallError(pending.functionName, `more than ${MOST_CALLS} calls`);
      }
      answers.set(pending.key, await settle(env, pending));
    }
  }
}

const callsFrom = (answers: ReadonlyMap<string, Answer>): ExternalCalls => ({
  answer(site, functionName, args) {
    const key = `${site}:${jsonText(args)}`;
    const answer = answers.get(key);
    if (answer === undefined) throw new PendingCall(key, functionName, args);
    if ('error' in answer) throw answer.error;
    return answer.value;
  },
});

async function settle(env: SqlEnvironment, call: PendingCall): Promise<Answer> {
  const { functionName, args } = call;
  const service = env.services?.[functionName];
  try {
    if (service === undefined) throw new Error('no such service was given');
    return { value: await service(args) };
  } catch (error) {
    return { error: new ExternalCallError(functionName, error) };
  }
}

/** Makes environments that all draw the same random numbers and ids, in order. */
function recording(env: SqlEnvironment): () => SqlEnvironment {
  const random: number[] = [];
  const uuids: string[] = [];
  return () => ({ ...env, random: replay(random, env.random), uuid: replay(uuids, env.uuid) });
}

function replay<T>(drawn: T[], draw: () => T): () => T {
  let next = 0;
  return () => {
    const known = drawn[next++];
    if (known !== undefined) return known;
    const value = draw();
    drawn.push(value);
    return value;
  };
}
