import type { Anomaly, Report } from './anomaly.ts';
import { advanceBoolean } from './boolean.ts';
import { askState } from './boolean-reports.ts';
import { sinceLast, tickOf } from './codes.ts';
import { beginCounter, isFoundCounter, rateOf } from './counter.ts';
import { advanceGauge } from './gauge.ts';
import { checkRange, rangeOf } from './limits.ts';
import { areLimitsQuiet, askDrift, askLimits, askValue } from './number-reports.ts';
import type { MetricOptions } from './options.ts';
import { HOUR_MS, type Rhythm } from './rhythm.ts';
import { WHOLE_PENDING } from './rhythm-hour.ts';
import { f32 } from './roundings.ts';
import { ALARM_SCORE } from './score.ts';
import { copyTrack, emptyTrack, NO_UNIT, type Track, WARM_UP_READINGS } from './track.ts';
import { incidentOf, NO_REPORTS, settle, type Work } from './work.ts';

/** All that is known of one metric. */
export interface MetricState {
  readonly track: Track;
  /** Replaced, never changed. */
  readonly rhythm: Rhythm | undefined;
  /** Open incidents, and configured rules that wait. */
  readonly incidents: readonly Anomaly[];
}

/** One value of a metric, at the time it was observed. */
export interface Observation {
  readonly atMs: number;
  readonly value: number | boolean;
  readonly unit?: string | undefined;
}

export type Standing =
  /** Learned, with a score of 0. */
  | 'warming up'
  | 'watched'
  /** Observed before the last one: its limits are checked, it is not learned. */
  | 'late'
  /** The last one once more: nothing happens. */
  | 'repeated'
  /** NaN or an infinity, or a boolean where numbers were: nothing happens. */
  | 'unreadable';

export interface Verdict {
  readonly standing: Standing;
  /** 0 to 1: how sure it is that something new is wrong; alarming from `ALARM_SCORE` or the metric's own threshold. */
  readonly score: number;
  /** What opened, changed its kind, or closed. */
  readonly reports: readonly Report[];
}

export const newMetric = (options: MetricOptions = {}): MetricState => ({
  track: emptyTrack(options.kind === 'unwatched' ? undefined : options.kind),
  rhythm: undefined,
  incidents: [],
});

/** Milliseconds by which an observation may be late; one that is older yet means another clock. */
const LATE_MS = HOUR_MS;

const ANCHOR_READINGS = 16;
const ANCHOR_UNITS = 8;

/** One observation: the state is not changed, the next one is returned. */
export function observe(
  state: MetricState,
  observation: Observation,
  options: MetricOptions = {},
): { state: MetricState; verdict: Verdict } {
  const work = workOn(state);
  const verdict = take(work, observation, options);
  return { state: work, verdict };
}

/** Many observations of one metric, in the order they were observed; like `observe` one by one, with a single copy. */
export function observeAll(
  state: MetricState,
  observations: readonly Observation[],
  options: MetricOptions = {},
): { state: MetricState; verdicts: readonly Verdict[] } {
  const work = workOn(state);
  const verdicts: Verdict[] = [];
  for (const observation of inOrder(observations)) verdicts.push(take(work, observation, options));
  return { state: work, verdicts };
}

function inOrder(observations: readonly Observation[]): readonly Observation[] {
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { atMs } of observations) {
    if (!(atMs >= lastMs)) return observations.toSorted((one, other) => one.atMs - other.atMs);
    lastMs = atMs;
  }
  return observations;
}

const workOn = ({ track, rhythm, incidents }: MetricState): Work => ({
  track: copyTrack(track),
  rhythm,
  incidents,
});

const ignored = (standing: Standing): Verdict => ({ standing, score: 0, reports: NO_REPORTS });

function take(work: Work, observation: Observation, options: MetricOptions): Verdict {
  const { atMs } = observation;
  const value = Number(observation.value);
  if (!(Number.isFinite(value) && Number.isFinite(atMs))) return ignored('unreadable');
  const isBoolean = typeof observation.value === 'boolean';
  if (work.track.readings === 0 && isBoolean) work.track = emptyTrack('boolean');
  if (isBoolean !== (work.track.kind === 'boolean')) return ignored('unreadable');
  const sinceMs = hasBegun(work.track) ? sinceLast(work.track, atMs) : 0;
  if (sinceMs < 0 && sinceMs >= -LATE_MS) return late(work, observation, value, options);
  if (sinceMs < 0) work.track.tick = tickOf(atMs);
  if (sinceMs === 0 && isRepeated(work.track, value)) return ignored('repeated');
  if (isBoolean) return takeBoolean(work, observation, options);
  return takeNumber(work, observation, value, sinceMs, options);
}

/** Of a counter, the first count is no reading yet. */
const hasBegun = (track: Track): boolean =>
  track.readings > 0 || (track.kind === 'counter' && track.tick !== 0);

function isRepeated(track: Track, value: number): boolean {
  if (!hasBegun(track)) return false;
  if (track.kind === 'counter') return value === track.anchor;
  return f32(value - (track.kind === 'gauge' ? track.anchor : 0)) === track.last;
}

function late(
  work: Work,
  { atMs, unit }: Observation,
  value: number,
  options: MetricOptions,
): Verdict {
  const range = rangeOf(options, unit);
  const before = incidentOf(work, 'range');
  if (range === undefined || before !== undefined || isMuted(options, atMs)) return ignored('late');
  const reports = settle(work, 'range', checkRange({ atMs, value, unit, before }, range));
  return { standing: 'late', score: 0, reports };
}

const isMuted = ({ mutedUntilMs = 0 }: MetricOptions, atMs: number): boolean => atMs < mutedUntilMs;

function takeNumber(
  work: Work,
  observation: Observation,
  observed: number,
  sinceMs: number,
  options: MetricOptions,
): Verdict {
  const { atMs } = observation;
  if (isFoundCounter(work, atMs, observed)) return ignored('warming up');
  settleAnchor(work);
  const isCounter = work.track.kind === 'counter';
  if (isCounter && sinceMs <= 0) {
    beginCounter(work.track, atMs, observed, sinceMs < 0);
    return ignored(work.track.readings === 0 ? 'warming up' : 'late');
  }
  const value = isCounter ? rateOf(work.track, observed, sinceMs) : observed;
  if (work.track.readings === 0 && !isCounter) work.track.anchor = value;
  const lastValue = (isCounter ? 0 : work.track.anchor) + work.track.last;
  const wasWarm = work.track.readings >= WARM_UP_READINGS;
  const rhythmBefore = work.rhythm;
  const isOpen = work.incidents.length > 0 && incidentOf(work, 'value') !== undefined;
  const pauseMs = work.track.readings === 0 ? 0 : sinceMs;
  const evidence = advanceGauge(work.track, rhythmBefore, atMs, pauseMs, value, isOpen);
  work.rhythm = evidence.rhythm;
  if (isCounter) work.track.anchor = observed;
  const { score } = evidence;
  if (score >= ALARM_SCORE) work.track.tainted = true;
  const standing = wasWarm ? 'watched' : 'warming up';
  if (isMuted(options, atMs)) return { standing, score, reports: NO_REPORTS };
  const found = askValue(work, observation, value, evidence, options);
  const beyond = areLimitsQuiet(work, observation.unit, observed, options)
    ? NO_REPORTS
    : askLimits(
        work,
        observation,
        observed,
        { value, lastValue, sinceMs: wasWarm ? Math.max(0, sinceMs) : 0 },
        options,
      );
  const drifting = askDrift(work, observation, observed, rhythmBefore);
  const count = found.length + beyond.length + drifting.length;
  return {
    standing,
    score,
    reports: count === 0 ? NO_REPORTS : [...found, ...beyond, ...drifting],
  };
}

/** A first value far from all others is a bad origin for 16-bit offsets: the metric begins anew, once. */
function settleAnchor(work: Work): void {
  const { kind, readings, centre, exponent, undecided } = work.track;
  if (kind !== 'gauge' || readings !== ANCHOR_READINGS) return;
  if (exponent !== NO_UNIT && Math.abs(centre) <= ANCHOR_UNITS * 2 ** exponent) return;
  if (exponent === NO_UNIT && centre === 0) return;
  work.track = { ...emptyTrack('gauge'), undecided, pending: WHOLE_PENDING };
  work.rhythm = undefined;
}

function takeBoolean(work: Work, { atMs, value }: Observation, options: MetricOptions): Verdict {
  const evidence = advanceBoolean(work.track, atMs, value === true);
  const reports = isMuted(options, atMs)
    ? NO_REPORTS
    : askState(work, evidence, { atMs, value: Number(value) });
  return { standing: 'watched', score: evidence.score, reports };
}
