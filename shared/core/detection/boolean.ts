import { type Edges, weigh } from './bands.ts';
import { tickOf } from './codes.ts';
import { f16 } from './roundings.ts';
import { ALARM_SCORE } from './score.ts';
import { READINGS_MAX, type Track, VIEW } from './track.ts';

/** Changes of state after which a duration can be called unusual. */
const WARM_UP_CHANGES = 8;

const HOUR_MS = 3_600_000;
const FULL_WEIGHT = Math.log(200);
/** How much longer than ever, in logarithms of the duration, a state must last: four times. */
const LONGER = Math.log(4);

/** What a state says of itself: lasting far longer than ever, or changing far more often. */
export interface BooleanEvidence {
  readonly score: number;
  readonly finding: 'held' | 'flapping' | undefined;
  /** Held: seconds it lasts, and lasted at most. Flapping: changes in the hour, and the most of any hour. */
  readonly observed: number;
  readonly high: number;
}

const edges: Edges = { low: 0, high: 0 };

/*
 * Fields of a track of two states: `anchor` when it last changed, `hourCount` changes in the hour under way, `equalRun`
 * all changes; band 0 and 1 durations of false and true (logarithm of seconds), band 2 changes an hour.
 */

/** Takes one boolean into its track, which is changed in place. */
export function advanceBoolean(track: Track, atMs: number, state: boolean): BooleanEvidence {
  const value = state ? 1 : 0;
  if (track.readings === 0) track.anchor = atMs;
  closeHour(track, atMs);
  const changed = track.readings > 0 && value !== track.last;
  if (changed) noteChange(track, atMs);
  track.last = value;
  track.readings = Math.min(READINGS_MAX, track.readings + 1);
  track.tick = tickOf(atMs);
  return changed ? flapping(track) : held(track, atMs, value);
}

function noteChange(track: Track, atMs: number): void {
  const was = track.last === 1 ? 1 : 0;
  weigh(track, was, f16(durationOf(track, atMs)), LONGER, true, edges);
  track.anchor = atMs;
  track.equalRun = Math.min(READINGS_MAX, track.equalRun + 1);
  track.hourCount = Math.min(READINGS_MAX, track.hourCount + 1);
}

const durationOf = (track: Track, atMs: number): number =>
  Math.log1p(Math.max(0, atMs - track.anchor) / 1000);

function closeHour(track: Track, atMs: number): void {
  const hour = Math.floor(atMs / HOUR_MS) % 2 ** 16;
  if (track.readings > 0 && hour !== track.hourSum) {
    weigh(track, VIEW.shift, f16(track.hourCount), 1, true, edges);
    track.hourCount = 0;
  }
  track.hourSum = hour;
}

const trust = (track: Track): number =>
  track.equalRun < WARM_UP_CHANGES ? 0 : Math.min(1, Math.log(track.equalRun) / FULL_WEIGHT);

function held(track: Track, atMs: number, value: number): BooleanEvidence {
  const longest = track.bands[value * 4 + 1] ?? Number.NaN;
  const lasts = durationOf(track, atMs);
  const beyond = Number.isNaN(longest) ? 0 : Math.max(0, lasts - longest) / LONGER;
  const score = 1 - Math.exp(-beyond * trust(track));
  return {
    score,
    finding: score >= ALARM_SCORE ? 'held' : undefined,
    observed: Math.expm1(lasts),
    high: Math.expm1(longest),
  };
}

function flapping(track: Track): BooleanEvidence {
  const most = track.bands[VIEW.shift * 4 + 1] ?? Number.NaN;
  const beyond = Number.isNaN(most) ? 0 : Math.max(0, track.hourCount - 2 * most - 4) / (most + 4);
  const score = 1 - Math.exp(-beyond * trust(track));
  return {
    score,
    finding: score >= ALARM_SCORE ? 'flapping' : undefined,
    observed: track.hourCount,
    high: most,
  };
}
