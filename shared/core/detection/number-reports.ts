import type { Anomaly, Finder, Report } from './anomaly.ts';
import { intervalMs, runOf } from './codes.ts';
import { type Drift, driftOf } from './drift.ts';
import type { Evidence } from './evidence.ts';
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
import { dayOf, type Rhythm } from './rhythm.ts';
import { isStuck, stuckAfter } from './runs.ts';
import { alarmScoreFor } from './sensitivity.ts';
import type { Track } from './track.ts';
import { weighIncident } from './value-incident.ts';
import { incidentOf, NO_REPORTS, type Numeric, settle, type Work } from './work.ts';

/* What is told of a number: each finder is asked, and keeps at most one incident open. */

type Moment = Pick<Numeric, 'atMs' | 'unit'>;

/** What the views and a stuck value make of a reading. */
export function askValue(
  work: Work,
  { atMs, unit }: Moment,
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
export function areLimitsQuiet(
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

/** What is configured, and what the unit cannot be. */
export function askLimits(
  work: Work,
  { atMs, unit }: Moment,
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
export function askDrift(
  work: Work,
  { atMs }: Moment,
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
