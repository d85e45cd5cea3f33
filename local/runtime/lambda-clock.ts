import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds since the Unix epoch, and a wait that an aborted signal ends early, without an error. */
export interface Clock {
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** The laptop's own clock. A sleep does not keep the process alive. */
export const systemClock: Clock = {
  now: Date.now,
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { ref: false, ...(signal && { signal }) }).catch(
      (error: unknown) => {
        if (signal?.aborted !== true) throw error;
      },
    );
  },
};
