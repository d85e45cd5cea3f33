import type { Anomaly, Report } from './anomaly.ts';
import { close, open } from './incident.ts';

/** How far the device's clock is from the cloud's: usual, and the last few if they differ. */
export interface Clock {
  readonly offsetMs: number;
  readonly readings: number;
  /** Another offset that may become the new one, and how often in a row it was seen. */
  readonly otherMs: number;
  readonly others: number;
}

export const NO_CLOCK: Clock = { offsetMs: 0, readings: 0, otherMs: 0, others: 0 };

const JUMP_MS = 5 * 60_000;
/** What is sent again at one offset within this is told by one clock; a backlog has another offset each time. */
const SAME_MS = 60_000;
const READINGS = 3;
const GAIN = 0.1;
const WARM_UP = 5;

/**
 * Takes one reading's two times. A clock that was set has the same new offset from then on; buffered readings have each
 * their own.
 */
export function readClock(
  clock: Clock,
  observedAtMs: number,
  receivedAtMs: number,
  before: Anomaly | undefined,
): { clock: Clock; report: Report | undefined } {
  const offset = observedAtMs - receivedAtMs;
  if (clock.readings === 0) {
    return { clock: { ...NO_CLOCK, offsetMs: offset, readings: 1 }, report: undefined };
  }
  if (Math.abs(offset - clock.offsetMs) < JUMP_MS) {
    const calmed: Clock = {
      offsetMs: clock.offsetMs + GAIN * (offset - clock.offsetMs),
      readings: Math.min(WARM_UP, clock.readings + 1),
      otherMs: 0,
      others: 0,
    };
    const report: Report | undefined =
      before !== undefined && calmed.readings >= WARM_UP
        ? { change: 'closes', anomaly: close(before, receivedAtMs) }
        : undefined;
    return { clock: calmed, report };
  }
  const same = clock.others > 0 && Math.abs(offset - clock.otherMs) < SAME_MS;
  const others = same ? clock.others + 1 : 1;
  if (others < READINGS)
    return { clock: { ...clock, otherMs: Math.fround(offset), others }, report: undefined };
  const jumped: Clock = { offsetMs: offset, readings: 1, otherMs: 0, others: 0 };
  if (clock.readings < WARM_UP || before !== undefined) return { clock: jumped, report: undefined };
  const jumpMs = offset - clock.offsetMs;
  const anomaly = open(
    { atMs: receivedAtMs, value: jumpMs },
    {
      finder: 'clock',
      kind: 'clock jump',
      direction: jumpMs > 0 ? 'above' : 'below',
      expected: 0,
      high: JUMP_MS,
    },
  );
  return { clock: jumped, report: { change: 'opens', anomaly } };
}
