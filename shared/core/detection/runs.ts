import { runCode, runOf } from './codes.ts';
import { READINGS_MAX, type Track, WARM_UP_READINGS } from './track.ts';

const STUCK_FACTOR = 4;
const STUCK_READINGS = 12;

/**
 * Counts equal values in a row. Of a run that is over, what is learned leaves room for `isStuck` to find a run twice
 * as long, but not another of the same length.
 *
 * @param last  the value, as the track keeps it
 */
export function noteRun(track: Track, last: number): void {
  if (track.readings > 0 && last === track.last) {
    track.equalRun = Math.min(READINGS_MAX, track.equalRun + 1);
    return;
  }
  const learned = isStuck(track) ? track.equalRun / STUCK_FACTOR : track.equalRun;
  if (track.longestRun === 0 || learned > runOf(track.longestRun)) {
    track.longestRun = runCode(learned);
  }
  track.equalRun = 1;
}

/** Whether a metric that used to vary has kept one value for much longer than ever. */
export const isStuck = (track: Track): boolean =>
  track.equalRun > STUCK_READINGS &&
  track.longestRun > 0 &&
  track.readings > WARM_UP_READINGS &&
  track.equalRun > stuckAfter(track);

/** Equal readings in a row beyond which a metric counts as stuck. */
export const stuckAfter = (track: Track): number =>
  Math.max(STUCK_READINGS, STUCK_FACTOR * runOf(track.longestRun) + STUCK_FACTOR);
