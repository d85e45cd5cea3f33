import type { Anomaly, Finder, Report } from './anomaly.ts';
import { advanceBoolean, type BooleanEvidence } from './boolean.ts';
import { intervalMs, runOf, sinceLast, tickOf } from './codes.ts';
import { type Drift, driftOf } from './drift.ts';
import type { Evidence } from './evidence.ts';
import { advanceGauge } from './gauge.ts';
import { close, onlyShown, open } from './incident.ts';
import {
  type Asked,
  checkRange,
  checkRate,
  checkRule,
  type Outcome,
  rangeOf,
  UNCHANGED,
} from './limits.ts';
import type { MetricOptions } from './options.ts';
import { dayOf, HOUR_MS, type Rhythm } from './rhythm.ts';
import { WHOLE_PENDING } from './rhythm-hour.ts';
import { f32 } from './roundings.ts';
import { isStuck, stuckAfter } from './runs.ts';
import { ALARM_SCORE } from './score.ts';
import { alarmScoreFor } from './sensitivity.ts';
import { copyTrack, emptyTrack, NO_UNIT, type Track, WARM_UP_READINGS } from './track.ts';
import { weighIncident } from './value-incident.ts';

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

/** Readings without an increment that make a metric no counter. */
const COUNTER_RESTS = 4;

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

interface Work {
  track: Track;
  rhythm: Rhythm | undefined;
  incidents: readonly Anomaly[];
}

const workOn = ({ track, rhythm, incidents }: MetricState): Work => ({
  track: copyTrack(track),
  rhythm,
  incidents,
});

const NO_REPORTS: readonly Report[] = [];

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
  return takeNumber(work, observation, value, Math.max(0, sinceMs), options);
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

const incidentOf = ({ incidents }: Work, finder: Finder): Anomaly | undefined =>
  incidents.find((incident) => incident.finder === finder);

/** Keeps what became of an incident, and passes on what is to be told. */
function settle(work: Work, finder: Finder, { anomaly, report }: Outcome): readonly Report[] {
  const others = work.incidents.filter((incident) => incident.finder !== finder);
  if (anomaly !== undefined) work.incidents = [...others, anomaly];
  else if (others.length !== work.incidents.length) work.incidents = others;
  return report === undefined ? [] : [report];
}

/** An observation of a number: what is asked of it when there is something to ask. */
interface Numeric {
  readonly atMs: number;
  readonly value: number;
  readonly unit?: string | undefined;
}

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
  if (isCounter && sinceMs === 0) return begunCounter(work.track, atMs, observed);
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
        { value, lastValue, sinceMs: wasWarm ? sinceMs : 0 },
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

function begunCounter(track: Track, atMs: number, value: number): Verdict {
  if (track.tick === 0 && track.readings === 0) {
    track.tick = tickOf(atMs);
    track.anchor = value;
  }
  return ignored('warming up');
}

/** Increments a second; a count that fell began anew at 0. */
const rateOf = ({ anchor }: Track, count: number, sinceMs: number): number =>
  ((count >= anchor ? count - anchor : Math.max(0, count)) * 1000) / sinceMs;

/**
 * Tells counters from gauges: whole numbers that rose in nearly all of the readings of the warm-up and never fell are
 * counted. One that is found to be a counter begins anew with its increments.
 */
function isFoundCounter(work: Work, atMs: number, value: number): boolean {
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

/** A first value far from all others is a bad origin for 16-bit offsets: the metric begins anew, once. */
function settleAnchor(work: Work): void {
  const { kind, readings, centre, exponent, undecided } = work.track;
  if (kind !== 'gauge' || readings !== ANCHOR_READINGS) return;
  if (exponent !== NO_UNIT && Math.abs(centre) <= ANCHOR_UNITS * 2 ** exponent) return;
  if (exponent === NO_UNIT && centre === 0) return;
  work.track = { ...emptyTrack('gauge'), undecided, pending: WHOLE_PENDING };
  work.rhythm = undefined;
}

function askValue(
  work: Work,
  { atMs, unit }: Observation,
  value: number,
  evidence: Readonly<Evidence>,
  options: MetricOptions,
): readonly Report[] {
  const { track, incidents } = work;
  const alarmScore = alarmScoreFor(options.falseAlarmsPerMonth, intervalMs(track.interval));
  const stuck = isStuck(track);
  if (incidents.length === 0 && !stuck && evidence.score < alarmScore) return NO_REPORTS;
  const told = askStuck(work, { atMs, value, unit }, stuck);
  const before = incidentOf(work, 'value');
  if (before === undefined && evidence.score < alarmScore) return told;
  const asked: Asked = { atMs, value, unit: unit ?? options.unit, before };
  const outcome = weighIncident(asked, evidence, alarmScore, options.direction ?? 'both');
  return [...told, ...settle(work, 'value', outcome)];
}

function askStuck(work: Work, observed: Numeric, stuck: boolean): readonly Report[] {
  const before = incidentOf(work, 'stuck');
  if (before === undefined && !stuck) return NO_REPORTS;
  return settle(work, 'stuck', stuckOutcome(work.track, observed, before, stuck));
}

function stuckOutcome(
  track: Track,
  observed: Numeric,
  before: Anomaly | undefined,
  stuck: boolean,
): Outcome {
  if (before !== undefined && !stuck) {
    return {
      anomaly: undefined,
      report: { change: 'closes', anomaly: close(before, observed.atMs) },
    };
  }
  if (before !== undefined) return { anomaly: onlyShown(before, observed), report: undefined };
  const opened = open(observed, {
    finder: 'stuck',
    kind: 'stuck value',
    direction: 'none',
    basis: 'recent readings',
    high: runOf(track.longestRun),
    detail: `${Math.floor(stuckAfter(track))}`,
  });
  const anomaly = { ...opened, readings: track.equalRun };
  return { anomaly, report: { change: 'opens', anomaly } };
}

/** Most metrics have no limits but those of their unit, and keep them. */
function areLimitsQuiet(
  { incidents }: Work,
  unit: string | undefined,
  observed: number,
  options: MetricOptions,
): boolean {
  if (incidents.length > 0 || options.rules !== undefined) return false;
  if (options.maxRatePerSecond !== undefined) return false;
  const range = rangeOf(options, unit);
  return range === undefined || (observed >= range[0] && observed <= range[1]);
}

interface Step {
  readonly value: number;
  readonly lastValue: number;
  /** 0 where there is no last value to compare with. */
  readonly sinceMs: number;
}

function askLimits(
  work: Work,
  { atMs, unit }: Observation,
  observed: number,
  { value, lastValue, sinceMs }: Step,
  options: MetricOptions,
): readonly Report[] {
  const { maxRatePerSecond, rules = [] } = options;
  const reports: Report[] = [];
  const ask = (finder: Finder, check: (asked: Asked) => Outcome) => {
    const before = incidentOf(work, finder);
    const outcome = check({ atMs, value: observed, unit: unit ?? options.unit, before });
    if (outcome !== UNCHANGED || before !== undefined) {
      reports.push(...settle(work, finder, outcome));
    }
  };
  const range = rangeOf(options, unit);
  if (range !== undefined) ask('range', (asked) => checkRange(asked, range));
  if (maxRatePerSecond !== undefined && sinceMs > 0) {
    const perSecond =
      work.track.kind === 'counter' ? value : ((value - lastValue) * 1000) / sinceMs;
    ask('rate', (asked) => checkRate(asked, perSecond, maxRatePerSecond));
  }
  for (const rule of rules) ask(`rule ${rule.name}`, (asked) => checkRule(asked, rule));
  return reports;
}

/** Once a day, when the mean of one more is there. */
function askDrift(
  work: Work,
  { atMs }: Observation,
  value: number,
  rhythmBefore: Rhythm | undefined,
): readonly Report[] {
  const { rhythm } = work;
  if (rhythm === rhythmBefore || rhythm === undefined || rhythmBefore === undefined) {
    return NO_REPORTS;
  }
  if (dayOf(rhythm.hour) === dayOf(rhythmBefore.hour)) return NO_REPORTS;
  const before = incidentOf(work, 'drift');
  return settle(work, 'drift', driftOutcome({ atMs, value }, driftOf(rhythm), before));
}

function driftOutcome(
  reading: Numeric,
  drift: Drift | undefined,
  before: Anomaly | undefined,
): Outcome {
  if (drift === undefined) {
    if (before === undefined) return UNCHANGED;
    const closed = close(before, reading.atMs);
    return { anomaly: undefined, report: { change: 'closes', anomaly: closed } };
  }
  if (before !== undefined) return { anomaly: onlyShown(before, reading), report: undefined };
  const anomaly = open(
    { atMs: reading.atMs, value: drift.to },
    {
      finder: 'drift',
      kind: 'drift',
      direction: drift.perDay > 0 ? 'above' : 'below',
      expected: drift.from,
      basis: 'recent readings',
      score: 1 - Math.exp(-Math.abs(drift.z) / 4),
      detail: `${drift.days}`,
    },
  );
  return { anomaly, report: { change: 'opens', anomaly } };
}

function takeBoolean(work: Work, { atMs, value }: Observation, options: MetricOptions): Verdict {
  const evidence = advanceBoolean(work.track, atMs, value === true);
  const verdict: Verdict = { standing: 'watched', score: evidence.score, reports: NO_REPORTS };
  if (isMuted(options, atMs)) return verdict;
  const reports = [
    ...askFinding(work, evidence, { atMs, value: Number(value) }, 'held'),
    ...askFinding(work, evidence, { atMs, value: Number(value) }, 'flapping'),
  ];
  return { ...verdict, reports };
}

const FINDINGS = {
  held: { finder: 'stuck', kind: 'stuck value' },
  flapping: { finder: 'value', kind: 'noise change' },
} as const;

function askFinding(
  work: Work,
  { finding, score, observed, high }: BooleanEvidence,
  reading: Numeric,
  asked: keyof typeof FINDINGS,
): readonly Report[] {
  const { finder, kind } = FINDINGS[asked];
  const before = incidentOf(work, finder);
  if (before === undefined) {
    if (finding !== asked) return [];
    const opened = open(
      { atMs: reading.atMs, value: observed },
      {
        finder,
        kind,
        direction: 'above',
        basis: 'recent readings',
        high,
        score,
        level: reading.value,
      },
    );
    return settle(work, finder, { anomaly: opened, report: { change: 'opens', anomaly: opened } });
  }
  const goesOn =
    asked === 'held' ? reading.value === before.level : reading.atMs - before.lastAtMs < HOUR_MS;
  if (goesOn) {
    return finding === asked
      ? settle(work, finder, {
          anomaly: {
            ...before,
            lastAtMs: reading.atMs,
            observed: Math.max(observed, before.observed),
            readings: before.readings + 1,
          },
          report: undefined,
        })
      : [];
  }
  const closed: Report = { change: 'closes', anomaly: close(before, reading.atMs) };
  return settle(work, finder, { anomaly: undefined, report: closed });
}
