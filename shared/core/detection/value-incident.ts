import { type Anomaly, type AnomalyKind, type Basis, SCATTERS } from './anomaly.ts';
import type { Evidence } from './evidence.ts';
import { close, onlyCalm, onlyShown, open } from './incident.ts';
import type { Asked, Outcome } from './limits.ts';
import { UNCHANGED } from './limits.ts';
import { VIEW, type View } from './track.ts';
import { conversionBetween } from './units.ts';

/** Readings in a row without evidence after which an incident is over. */
const CALM_READINGS = 8;
/** Readings away from the old level that make a spike a level shift. */
const SHIFT_READINGS = 12;
const UNIT_READINGS = 3;
const USUAL_SPREADS = 3;
/** Spreads around a new level within which the value has settled there. */
const SETTLED_SPREADS = 2;

const BASIS: Readonly<Record<View, Basis>> = {
  level: 'all readings',
  floor: 'all readings',
  shift: 'recent readings',
  day: 'this hour of the day',
  dayDrift: 'this hour of the day',
  week: 'this hour of the week',
  noise: 'noise',
};

/** What the learned ranges make of a value: an incident opens, is shown again, refined, or comes to its end. */
export function weighIncident(
  asked: Asked,
  evidence: Readonly<Evidence>,
  alarmScore: number,
  wanted: 'both' | 'above' | 'below',
): Outcome {
  const { before } = asked;
  if (before !== undefined) return goOn(before, asked, evidence);
  const direction = evidence.direction > 0 ? 'above' : 'below';
  if (evidence.score < alarmScore || (wanted !== 'both' && wanted !== direction)) return UNCHANGED;
  const { level, spread, expected, low, high, score, view } = evidence;
  const anomaly = open(asked, {
    finder: 'value',
    kind: kindOf(evidence),
    direction,
    expected,
    low,
    high,
    score,
    basis: view === undefined ? 'recent readings' : BASIS[view],
    detail: conversionBetween(level, spread, asked.value),
    level,
    spread,
  });
  return { anomaly, report: { change: 'opens', anomaly } };
}

/**
 * By the views that speak: those of one value, those of many, or that of their noise. One value far out is a spike,
 * until others follow.
 */
function kindOf({ weights, deviations }: Readonly<Evidence>): AnomalyKind {
  const of = (view: View) => weights[VIEW[view]] ?? 0;
  const once = of('level') + of('day') + of('week');
  const lasting = of('floor') + of('shift') + of('dayDrift');
  const noise = of('noise');
  if (noise > once && noise > lasting) return 'noise change';
  return lasting > once && Math.abs(deviations) < USUAL_SPREADS ? 'level shift' : 'spike';
}

function goOn(before: Anomaly, asked: Asked, evidence: Readonly<Evidence>): Outcome {
  if (isUsual(before, asked.value, evidence)) {
    const calmer = onlyCalm(before);
    if (calmer.calm < CALM_READINGS) return { anomaly: calmer, report: undefined };
    const anomaly = close(before, asked.atMs);
    return { anomaly: undefined, report: { change: 'closes', anomaly } };
  }
  const shown = {
    ...onlyShown(before, asked),
    score: Math.max(before.score, evidence.score),
  };
  const clearer = refined(shown, asked.value);
  if (clearer === undefined) return { anomaly: shown, report: undefined };
  const anomaly = { ...shown, ...clearer, version: before.version + 1 };
  return { anomaly, report: { change: 'continues', anomaly } };
}

function isUsual(before: Anomaly, value: number, evidence: Readonly<Evidence>): boolean {
  if (before.kind === 'noise change') return (evidence.weights[VIEW.noise] ?? 0) === 0;
  return (
    Math.abs(value - before.level) <= USUAL_SPREADS * before.spread ||
    Math.abs(evidence.deviations) <= SETTLED_SPREADS
  );
}

/** What an incident turns out to be as it lasts; nothing while that is what it is called already. */
function refined(shown: Anomaly, value: number): Partial<Anomaly> | undefined {
  const { kind, readings, calm, level, spread, detail } = shown;
  if ((kind !== 'spike' && kind !== 'level shift') || calm > 0) return undefined;
  if (detail !== undefined && readings >= UNIT_READINGS) {
    if (conversionBetween(level, spread, value) === detail) return { kind: 'unit change' };
  }
  if (readings < SHIFT_READINGS) return undefined;
  if (isOnBothSides(shown)) {
    const reach = USUAL_SPREADS * spread;
    return { kind: 'noise change', detail: SCATTERS, low: level - reach, high: level + reach };
  }
  return kind === 'spike' ? { kind: 'level shift' } : undefined;
}

/** Readings on the rarer side that make it no shift. */
const BOTH_SIDES_READINGS = 2;

function isOnBothSides({ points, level, spread }: Anomaly): boolean {
  const above = points.filter(({ value }) => value > level + spread).length;
  const below = points.filter(({ value }) => value < level - spread).length;
  return Math.min(above, below) >= BOTH_SIDES_READINGS;
}
