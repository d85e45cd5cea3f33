import { AwsError } from '../../operations/operation.ts';
import { ActionError } from './action.ts';

export interface RetryOptions {
  readonly attempts: number;
  /** Before the second attempt; doubled before each one after it. */
  readonly firstWaitMs: number;
}

const INTERMITTENT =
  /Throttl|TooManyRequests|ProvisionedThroughputExceeded|LimitExceeded|SlowDown|ServiceUnavailable/;

/** Whether trying again may help: the sink is overloaded or at fault itself. */
function isIntermittent(error: unknown): boolean {
  if (error instanceof ActionError) return error.retryable;
  return error instanceof AwsError && (error.statusCode >= 500 || INTERMITTENT.test(error.code));
}

/**
 * Tries until it works, up to so many times, with growing waits of random length in between. How often and how
 * long AWS tries is not published.
 *
 * @param random  at least 0, less than 1
 */
export async function withRetries(
  attempt: () => unknown,
  { attempts, firstWaitMs }: RetryOptions,
  { sleep, random }: { sleep: (ms: number) => Promise<void>; random: () => number },
): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tried >= attempts || !isIntermittent(error)) throw error;
    }
    await sleep(firstWaitMs * 2 ** (tried - 1) * (0.5 + random() / 2));
  }
}
