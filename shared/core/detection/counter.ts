import { runOf, tickOf } from './codes.ts';
import { WHOLE_PENDING } from './rhythm-hour.ts';
import { emptyTrack, type Track, WARM_UP_READINGS } from './track.ts';
import type { Work } from './work.ts';

/** Readings without an increment that make a metric no counter. */
const COUNTER_RESTS = 4;

/** Notes the first count, which is no increment yet; also the first of an earlier time. */
export function beginCounter(track: Track, atMs: number, value: number, isEarlier: boolean): void {
  if ((track.tick === 0 && track.readings === 0) || isEarlier) {
    track.tick = tickOf(atMs);
    track.anchor = value;
  }
}

/** Increments a second; a count that fell began anew at 0. */
export const rateOf = ({ anchor }: Track, count: number, sinceMs: number): number =>
  ((count >= anchor ? count - anchor : Math.max(0, count)) * 1000) / sinceMs;

/**
 * Tells counters from gauges: whole numbers that rose in nearly all of the readings of the warm-up and never fell are
 * counted. One that is found to be a counter begins anew with its increments.
 */
export function isFoundCounter(work: Work, atMs: number, value: number): boolean {
  const { track } = work;
  if (!track.undecided || track.readings === 0) return false;
  const last = track.anchor + track.last;
  const rests = Math.max(track.equalRun, runOf(track.longestRun)) > COUNTER_RESTS;
  if (value < last || !Number.isInteger(value) || rests) {
    track.undecided = false;
    return false;
  }
  if (track.readings < WARM_UP_READINGS) return false;
  work.track = {
    ...emptyTrack('counter'),
    pending: WHOLE_PENDING,
    anchor: value,
    tick: tickOf(atMs),
    interval: track.interval,
  };
  work.rhythm = undefined;
  return true;
}
