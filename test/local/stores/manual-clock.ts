import type { Timer } from '../../../local/stores/timer.ts';

/** A clock that stands still until it is moved, and the timers that hang on it. */
export function manualClock(startMs = 1_700_000_000_000) {
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  let nowMs = startMs;

  const timer: Timer = (ms, run) => {
    const entry = { atMs: nowMs + ms, run };
    timers.add(entry);
    return () => timers.delete(entry);
  };

  return {
    now: () => nowMs,
    timer,
    pending: () => timers.size,
    advance(ms: number): void {
      const endMs = nowMs + ms;
      for (;;) {
        const next = [...timers].sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined || next.atMs > endMs) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
      }
      nowMs = endMs;
    },
  };
}
