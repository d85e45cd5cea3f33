import { type Break, forget, lowEdge, rescaleBand, weigh } from './bands.ts';
import {
  closeHour,
  DAY_MS,
  dayExpectation,
  emptyRhythm,
  HOUR_MS,
  hourOf,
  type Rhythm,
  weekExpectation,
} from './rhythm.ts';
import { withHour } from './rhythm-hour.ts';
import {
  BLOCK_READINGS,
  f16,
  f24,
  f32,
  intervalCode,
  intervalMs,
  NO_UNIT,
  READINGS_MAX,
  REST_MAX,
  runCode,
  runOf,
  sinceLast,
  type Track,
  tickOf,
  VIEW,
  VIEWS,
  type View,
} from './track.ts';

/** Readings in which a metric is only learned. */
export const WARM_UP_READINGS = 32;

/** Readings by which a view of the rhythm is only learned, once there is a rhythm. */
const RHYTHM_WARM_UP_READINGS = 12;

/** Readings before the short memories are worth looking at. */
const SETTLING_READINGS = 10;

/** At and above it a score says: something new is wrong. */
export const ALARM_SCORE = 0.5;

/** Evidence (0 to 1) at which `ALARM_SCORE` is reached; shipped as measured by `npm run bench:detection`. */
const ALARM_EVIDENCE = 0.48;
/** Readings after which a range is worth its full weight; the first records of a range are cheap. */
const FULL_WEIGHT_READINGS = Math.log(5000);
const FAST_GAIN = 0.1;
const CENTRE_GAIN = 0.01;
/** Spreads beyond which a value does not draw the centre any further. */
const CENTRE_REACH = 2;
/** The held-back part is put back on average: E[min(z², 4)] = 0.92 for a Gaussian, and some for heavier tails. */
const VARIANCE_CORRECTION = 1.1;
const VARIANCE_LEAK = 1e-4;
/** Readings on one side after which the centre goes after them: a level shift is learned, an outlier is not. */
const FOLLOW_AFTER = 16;
const FOLLOW_PACE = 8;
const NOISE_GAIN = 0.1;
const DAY_DRIFT_GAIN = 0.1;
/** Spreads at which a value is half as unusual as it can be. */
const HALF_UNUSUAL = 10;
const SUSPICION_KEPT = 0.85;
const REST_HOURS = 4;
const REST_SHARE = 0.5;
const REST_SCALE = 24;
const SUSPICION_SCALE = 127;
/** Resolution expected of a sensor, in units (the size of its first value that is not zero). */
const RESOLUTION = 1e-4;
const LEVEL_SCALE = 256;
const UNITS_MAX = 30_000;
const GAP_INTERVALS = 20;
const GAP_MS = 6 * HOUR_MS;
const INTERVAL_GAIN = 0.1;
const STUCK_FACTOR = 4;
const STUCK_READINGS = 12;

/** What one value says, before it is decided what to call it. */
export interface Evidence {
  /** 0 to 1; at `ALARM_SCORE` and above there is something new. */
  score: number;
  /** The view that says most, of the noise only if no other speaks; none when the value is inside of all ranges. */
  view: View | undefined;
  /** Expected by the strongest view, and the range so far in the metric's own unit. */
  expected: number;
  low: number;
  high: number;
  /** Whether the value is above (1) or below (-1) what was expected. */
  direction: 1 | -1;
  /** The centre and the spread before this value, and its distance in such spreads. */
  level: number;
  spread: number;
  deviations: number;
  /** Weights of the views, in their order. */
  weights: number[];
}

const found: Break = { weight: 0, low: 0, high: 0 };
const values = new Float64Array(VIEWS.length);

/**
 * Takes one number of a gauge into its track (changed in place) and its rhythm (returned, the same unless an hour
 * ended), and says how new it is. The number is finite and not older than the last.
 *
 * Each view keeps the range of what it has seen. A value beyond a range is weighed by its excess in ranges, and by how
 * many readings the range has seen; the views add up. What stands out of the usual spread without breaking a range
 * raises the score to less than `ALARM_SCORE`.
 */
export function advanceGauge(
  track: Track,
  rhythmBefore: Rhythm | undefined,
  atMs: number,
  value: number,
  base: number,
): { evidence: Evidence; rhythm: Rhythm | undefined } {
  const sinceMs = track.readings === 0 ? 0 : Math.max(0, sinceLast(track, atMs));
  const offset = value - base;
  const known = closedHour(track, rhythmBefore, atMs, sinceMs, base);
  const rhythm = known ?? NO_RHYTHM;
  settleUnit(track, value, offset, base);
  const unit = track.exponent === NO_UNIT ? 1 : 2 ** track.exponent;
  if (track.readings === 0) begin(track, offset, unit);
  else catchUp(track, offset, unit, sinceMs);
  const level = base + track.centre;
  const spread = Math.sqrt(track.variance) + RESOLUTION * unit;
  const deviations = follow(track, offset, spread, unit);
  look(track, rhythm, hourOf(atMs), value, offset, unit, base);
  const evidence = weighAll(track, rhythm, { level, spread, deviations });
  evidence.score = scoreOf(track, evidence.score, Math.abs(deviations), sinceMs);
  explain(evidence, rhythm, hourOf(atMs), unit, base);
  keep(track, atMs, offset, sinceMs);
  return { evidence, rhythm: known };
}

const NO_RHYTHM = emptyRhythm(0);

function closedHour(
  track: Track,
  rhythm: Rhythm | undefined,
  atMs: number,
  sinceMs: number,
  base: number,
): Rhythm | undefined {
  const lastHour = hourOf(tickOf64(atMs) - sinceMs);
  if (track.hourCount === 0 || lastHour === hourOf(tickOf64(atMs))) return rhythm;
  const mean = base + track.hourSum / track.hourCount;
  const isNewDay = Math.floor(atMs / DAY_MS) > Math.floor((lastHour * HOUR_MS) / DAY_MS);
  if (isNewDay) forget(track);
  const hour = { hour: lastHour, mean, readings: track.readings, tainted: track.tainted };
  track.hourSum = 0;
  track.hourCount = 0;
  track.tainted = false;
  const lesson = closeHour(rhythm ?? emptyRhythm(base), hour);
  if (lesson === undefined) return rhythm;
  track.pending = withHour(track.pending, lesson.skipped, lesson.digit);
  return lesson.rhythm;
}

const tickOf64 = (ms: number): number => Math.floor(ms / 64) * 64;

/** The unit of 16-bit numbers: by the first value that is not zero, and larger when numbers outgrow it. */
function settleUnit(track: Track, value: number, offset: number, base: number): void {
  if (track.exponent === NO_UNIT) {
    if (value !== 0) track.exponent = exponentOf(Math.abs(value));
    return;
  }
  const before = 2 ** track.exponent;
  if (Math.abs(offset) <= UNITS_MAX * before) return;
  track.exponent = exponentOf(Math.abs(offset));
  const factor = before / 2 ** track.exponent;
  for (const view of VIEWS) {
    if (view !== 'level') rescaleBand(track, VIEW[view], (edge) => edge * factor);
  }
  rescaleBand(track, VIEW.level, (edge) =>
    levelOf(levelValue(edge, before, base), 2 ** track.exponent, base),
  );
  track.low = f16(track.low * factor);
  track.previousLow = f16(track.previousLow * factor);
  track.dayDrift = f16(track.dayDrift * factor);
  track.fastGap = f16(track.fastGap * factor);
  track.noise = f16(track.noise * factor);
}

const exponentOf = (size: number): number =>
  Math.max(-120, Math.min(120, Math.round(Math.log2(size))));

/**
 * Logarithm for large values, linear around zero, so that changes count by their share of the value; as the distance
 * from that of `base`, which leaves 16 bits precise where values vary little around a large one.
 */
const levelOf = (value: number, unit: number, base: number): number =>
  LEVEL_SCALE * (logarithm(value / unit) - logarithm(base / unit));

const logarithm = (units: number): number => Math.sign(units) * Math.log1p(Math.abs(units));

function levelValue(level: number, unit: number, base: number): number {
  const sum = level / LEVEL_SCALE + logarithm(base / unit);
  return Math.sign(sum) * unit * Math.expm1(Math.abs(sum));
}

function begin(track: Track, offset: number, unit: number): void {
  track.centre = f24(offset);
  track.last = f32(offset);
  track.low = track.previousLow = f16(offset / unit);
}

/** After a gap, what is short in memory begins anew, so that the gap itself is no evidence. */
function catchUp(track: Track, offset: number, unit: number, sinceMs: number): void {
  if (sinceMs < GAP_MS || !(sinceMs > GAP_INTERVALS * intervalMs(track.interval))) return;
  track.fastGap = 0;
  track.dayDrift = 0;
  track.low = f16(offset / unit);
  track.previousLow = Math.min(track.low, lowEdge(track, VIEW.floor));
  track.blockFill = 0;
  track.last = f32(offset);
  track.sideRun = 0;
}

/** Moves the centre and the spread; gives the value's distance from where they were, in spreads. */
function follow(track: Track, offset: number, spread: number, unit: number): number {
  const count = track.readings + 1;
  const distance = offset - track.centre;
  const young = count < SETTLING_READINGS;
  const reach = CENTRE_REACH * spread;
  const side = distance > reach ? 1 : distance < -reach ? -1 : 0;
  track.sideRun =
    side !== 0 && Math.sign(track.sideRun) === side ? limited(track.sideRun + side) : side;
  const gain = Math.max(CENTRE_GAIN, 1 / count);
  const haste = 1 + Math.max(0, Math.abs(track.sideRun) - FOLLOW_AFTER) / FOLLOW_PACE;
  const moved = young ? distance : clamp(distance, reach * haste);
  const fast = track.centre + track.fastGap * unit;
  const spreadBy = young ? distance : clamp(distance, reach);
  track.centre = f24(track.centre + gain * moved);
  track.fastGap = f16((fast + FAST_GAIN * (offset - fast) - track.centre) / unit);
  const leak = young ? 0 : gain * VARIANCE_LEAK * distance * distance;
  track.variance = f24(
    track.variance + gain * (VARIANCE_CORRECTION * spreadBy * spreadBy - track.variance) + leak,
  );
  return young ? 0 : distance / spread;
}

const clamp = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));

const limited = (run: number): number => Math.max(-127, Math.min(127, run));

/** Brings the short memories up to this value, and computes all views of it. */
function look(
  track: Track,
  rhythm: Rhythm,
  hour: number,
  value: number,
  offset: number,
  unit: number,
  base: number,
): void {
  const inUnits = offset / unit;
  track.noise = f16(
    track.noise + NOISE_GAIN * (Math.abs(offset - track.last) / unit - track.noise),
  );
  if (track.blockFill >= BLOCK_READINGS) {
    track.previousLow = track.low;
    track.low = f16(inUnits);
    track.blockFill = 1;
  } else {
    track.low = track.blockFill === 0 ? f16(inUnits) : Math.min(track.low, f16(inUnits));
    track.blockFill += 1;
  }
  const settled = track.readings + 1 >= SETTLING_READINGS;
  values[VIEW.level] = levelOf(value, unit, base);
  values[VIEW.floor] = settled ? Math.min(track.low, track.previousLow) : Number.NaN;
  values[VIEW.shift] = settled ? track.fastGap : Number.NaN;
  values[VIEW.noise] = settled ? track.noise : Number.NaN;
  const fromDay = value - dayExpectation(rhythm, hour);
  values[VIEW.day] = rhythm.dayFrom > 0 ? fromDay / unit : Number.NaN;
  values[VIEW.week] =
    rhythm.weekFrom > 0 ? (value - weekExpectation(rhythm, hour)) / unit : Number.NaN;
  if (rhythm.dayFrom > 0 && !Number.isNaN(fromDay)) {
    track.dayDrift = f16(track.dayDrift + DAY_DRIFT_GAIN * (fromDay / unit - track.dayDrift));
    values[VIEW.dayDrift] = track.dayDrift;
  } else {
    values[VIEW.dayDrift] = Number.NaN;
  }
  track.hourSum = f24(track.hourSum + value - base);
  track.hourCount = Math.min(READINGS_MAX, track.hourCount + 1);
}

/** Weighs all views; the sum is left in `score`, the edges of the strongest in the view's own measure. */
function weighAll(
  track: Track,
  rhythm: Rhythm,
  { level, spread, deviations }: Pick<Evidence, 'level' | 'spread' | 'deviations'>,
): Evidence {
  const evidence: Evidence = {
    score: 0,
    view: undefined,
    expected: 0,
    low: Number.NaN,
    high: Number.NaN,
    direction: deviations < 0 ? -1 : 1,
    level,
    spread,
    deviations,
    weights: [0, 0, 0, 0, 0, 0, 0],
  };
  let strongest = 0;
  for (let index = 0; index < VIEWS.length; index += 1) {
    const value = values[index] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const floor = index === VIEW.level ? LEVEL_SCALE * RESOLUTION : RESOLUTION;
    const seen = seenBy(track, rhythm, index);
    const eager = seen < (isRhythmic(index) ? RHYTHM_WARM_UP_READINGS : WARM_UP_READINGS);
    weigh(track, index, value, floor, eager, found);
    if (found.weight === 0) continue;
    const weight = found.weight * worthOf(seen);
    evidence.score += weight;
    evidence.weights[index] = weight;
    const said = index === VIEW.noise ? Number.MIN_VALUE : weight;
    if (said <= strongest) continue;
    strongest = said;
    evidence.view = VIEWS[index];
    evidence.low = found.low;
    evidence.high = found.high;
    evidence.direction = value > found.high ? 1 : value < found.low ? -1 : evidence.direction;
  }
  return evidence;
}

const isRhythmic = (index: number): boolean =>
  index === VIEW.day || index === VIEW.dayDrift || index === VIEW.week;

/** Readings that a view has seen, this one included. */
function seenBy(track: Track, rhythm: Rhythm, index: number): number {
  if (track.readings >= READINGS_MAX) return READINGS_MAX;
  const from = index === VIEW.week ? rhythm.weekFrom : isRhythmic(index) ? rhythm.dayFrom : 0;
  return Math.max(1, 1 + track.readings - from);
}

/** A record among n readings comes by chance once in n: young ranges count for less. */
const worthOf = (seen: number): number => Math.min(1, Math.log(1 + seen) / FULL_WEIGHT_READINGS);

function scoreOf(track: Track, total: number, deviations: number, sinceMs: number): number {
  const rest = (track.rest / REST_SCALE) * Math.exp(-sinceMs / (REST_HOURS * HOUR_MS));
  const fresh = 1 - Math.exp(-Math.max(0, total - REST_SHARE * rest));
  track.rest = Math.min(REST_MAX, Math.floor(REST_SCALE * Math.max(rest, total)));
  const unusual = deviations / (deviations + HALF_UNUSUAL);
  const suspicion = Math.max(unusual, (SUSPICION_KEPT * track.suspicion) / SUSPICION_SCALE);
  track.suspicion = Math.floor(SUSPICION_SCALE * suspicion);
  if (track.readings + 1 < WARM_UP_READINGS) return 0;
  if (fresh >= ALARM_EVIDENCE) {
    return ALARM_SCORE + ((1 - ALARM_SCORE) * (fresh - ALARM_EVIDENCE)) / (1 - ALARM_EVIDENCE);
  }
  return ALARM_SCORE * (1 - Math.exp(-(0.3 * fresh + suspicion)));
}

/** Puts the strongest view's range into the metric's own unit, around what was expected. */
function explain(
  evidence: Evidence,
  rhythm: Rhythm,
  hour: number,
  unit: number,
  base: number,
): void {
  const { view, low, high, level, spread } = evidence;
  evidence.expected = level;
  if (view === undefined) {
    evidence.low = level - 3 * spread;
    evidence.high = level + 3 * spread;
    return;
  }
  if (view === 'level') {
    evidence.low = levelValue(low, unit, base);
    evidence.high = levelValue(high, unit, base);
    return;
  }
  if (view === 'noise') {
    evidence.low = low * unit;
    evidence.high = high * unit;
    return;
  }
  const origin =
    view === 'day' || view === 'dayDrift'
      ? dayExpectation(rhythm, hour)
      : view === 'week'
        ? weekExpectation(rhythm, hour)
        : view === 'floor'
          ? base
          : level;
  if (view === 'day' || view === 'week' || view === 'dayDrift') evidence.expected = origin;
  evidence.low = origin + low * unit;
  evidence.high = origin + high * unit;
}

function keep(track: Track, atMs: number, offset: number, sinceMs: number): void {
  noteRun(track, f32(offset));
  track.last = f32(offset);
  track.interval = usualInterval(track, sinceMs);
  track.readings = Math.min(READINGS_MAX, track.readings + 1);
  track.tick = tickOf(atMs);
}

/**
 * Counts equal values in a row. Of a run that is over, what is learned leaves room for `isStuck` to find a run twice
 * as long, but not another of the same length.
 */
function noteRun(track: Track, last: number): void {
  if (track.readings > 0 && last === track.last) {
    track.equalRun = Math.min(READINGS_MAX, track.equalRun + 1);
    return;
  }
  const learned = isStuck(track) ? track.equalRun / STUCK_FACTOR : track.equalRun;
  track.longestRun = Math.max(track.longestRun, runCode(learned));
  track.equalRun = 1;
}

/** Whether a metric that used to vary has kept one value for much longer than ever. */
export const isStuck = (track: Track): boolean =>
  track.longestRun > 0 && track.readings > WARM_UP_READINGS && track.equalRun > stuckAfter(track);

/** Equal readings in a row beyond which a metric counts as stuck. */
export const stuckAfter = (track: Track): number =>
  Math.max(STUCK_READINGS, STUCK_FACTOR * runOf(track.longestRun) + STUCK_FACTOR);

function usualInterval(track: Track, sinceMs: number): number {
  if (sinceMs <= 0) return track.interval;
  if (track.interval === 0) return intervalCode(sinceMs);
  const code = intervalCode(sinceMs);
  const far = code - track.interval;
  if (far === 0) return track.interval;
  const step = INTERVAL_GAIN * far;
  return (
    track.interval + (step > 0 ? Math.ceil(Math.min(step, 1)) : Math.floor(Math.max(step, -1)))
  );
}
