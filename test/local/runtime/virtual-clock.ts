import { setImmediate } from 'node:timers/promises';
import type { Timer } from '../../../local/stores/timer.ts';

/** Rounds of the event loop in which everything that needs no time comes to rest. */
const ROUNDS = 8;

/** A clock that stands still until `run` jumps it from alarm to alarm. */
export function virtualClock(startMs = Date.parse('2026-01-01T00:00:00Z')) {
  let nowMs = startMs;
  const alarms = new Set<{ readonly atMs: number; readonly ring: () => void }>();

  const timer: Timer = (ms, ring) => {
    const alarm = { atMs: nowMs + Math.max(ms, 0), ring };
    alarms.add(alarm);
    return () => alarms.delete(alarm);
  };

  const settle = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) await setImmediate();
  };

  const advance = (): boolean => {
    const [next] = [...alarms].sort((a, b) => a.atMs - b.atMs);
    if (!next) return false;
    alarms.delete(next);
    nowMs = Math.max(nowMs, next.atMs);
    next.ring();
    return true;
  };

  return {
    now: () => nowMs,
    timer,
    settle,

    sleep: (ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const cancel = timer(ms, resolve);
        signal?.addEventListener('abort', () => {
          cancel();
          resolve();
        });
      }),

    /** Lets time pass until the promise has settled. @throws when no alarm is left to wait for */
    async run<T>(promise: Promise<T>): Promise<T> {
      let isSettled = false;
      const watch = promise.then(
        () => {
          isSettled = true;
        },
        () => {
          isSettled = true;
        },
      );
      for (;;) {
        await settle();
        if (isSettled) break;
        if (!advance()) throw new Error('nothing will happen any more');
      }
      await watch;
      return await promise;
    },

    /** Lets this much time pass. */
    async pass(ms: number): Promise<void> {
      const endMs = nowMs + ms;
      await settle();
      while ([...alarms].some(({ atMs }) => atMs <= endMs)) {
        advance();
        await settle();
      }
      nowMs = endMs;
    },
  };
}
