import { type Edges, forget, lowEdge, rescaleBand, weigh } from './bands.ts';
import { intervalMs, tickOf, towardsInterval } from './codes.ts';
import { type Evidence, noEvidence } from './evidence.ts';
import {
  closeHour,
  dayExpectation,
  dayOf,
  emptyRhythm,
  HOUR_MS,
  hourOf,
  type Rhythm,
  weekExpectation,
} from './rhythm.ts';
import { withHour } from './rhythm-hour.ts';
import { f16, f24, f32 } from './roundings.ts';
import { noteRun } from './runs.ts';
import { scoreOf } from './score.ts';
import {
  BLOCK_READINGS,
  NO_UNIT,
  READINGS_MAX,
  type Track,
  VIEW,
  VIEWS,
  WARM_UP_READINGS,
} from './track.ts';

/** Readings by which a view of the rhythm is only learned, once there is a rhythm. */
const RHYTHM_WARM_UP_READINGS = 12;

/** Readings before the short memories are worth looking at. */
const SETTLING_READINGS = 10;

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
/** Resolution expected of a sensor, in units (the size of its first value that is not zero). */
const RESOLUTION = 1e-4;
const LEVEL_SCALE = 256;
const UNITS_MAX = 30_000;
const GAP_INTERVALS = 20;
/** Usual intervals within which two readings are neighbours, whose difference is noise. */
const NEIGHBOUR_INTERVALS = 5;
const GAP_MS = 6 * HOUR_MS;

/** One for all readings, as there are so many: whoever asks reads it at once. */
const evidence: Evidence = noEvidence(VIEWS.length);

/**
 * Takes one number of a gauge into its track, which is changed in place, and says how new it is. The number is finite.
 *
 * Each view keeps the range of what it has seen. A value beyond a range is weighed by its excess in ranges, and by how
 * many readings the range has seen; the views add up. What stands out of the usual spread without breaking a range
 * raises the score to less than `ALARM_SCORE`.
 *
 * @param sinceMs  since the last reading; 0 for the first, negative for one from an earlier time
 * @param isOpen   an incident is open that the views have found
 * @returns        holds until the next call
 */
export function advanceGauge(
  track: Track,
  rhythmBefore: Rhythm | undefined,
  atMs: number,
  sinceMs: number,
  value: number,
  isOpen: boolean,
): Readonly<Evidence> {
  const base = baseOf(track);
  const offset = value - base;
  const hour = hourOf(atMs);
  const rhythm = closedHour(track, rhythmBefore, hour, atMs, sinceMs, base);
  settleUnit(track, value, offset, base);
  const unit = unitOf(track);
  if (track.readings === 0) begin(track, offset, unit);
  else if (sinceMs < 0 || sinceMs >= GAP_MS) catchUp(track, offset, unit, sinceMs);
  beginEvidence(track, base, unit, rhythm);
  follow(track, offset, unit);
  remember(track, offset, unit, isApart(track, sinceMs));
  weighValue(track, value, unit, base);
  if (rhythm !== undefined && rhythm.dayFrom > 0) weighRhythm(track, rhythm, hour, value, unit);
  if (isSettled(track)) weighView(track, VIEW.noise, track.noise, RESOLUTION, 0);
  evidence.score = scoreOf(track, evidence, atMs, Math.max(0, sinceMs), isOpen);
  explain(rhythm, hour, unit, base);
  keep(track, atMs, offset, sinceMs);
  return evidence;
}

const UNIT_MIN = 128;
const UNITS = Float64Array.from({ length: 2 * UNIT_MIN }, (_, at) =>
  at - UNIT_MIN === NO_UNIT ? 1 : 2 ** (at - UNIT_MIN),
);

const unitOf = ({ exponent }: Track): number => UNITS[exponent + UNIT_MIN] ?? 1;

function beginEvidence(track: Track, base: number, unit: number, rhythm: Rhythm | undefined): void {
  evidence.view = undefined;
  evidence.level = base + track.centre;
  evidence.spread = Math.sqrt(track.variance) + RESOLUTION * unit;
  evidence.rhythm = rhythm;
  if (evidence.total === 0) return;
  evidence.total = 0;
  evidence.weights.fill(0);
}

function closedHour(
  track: Track,
  rhythm: Rhythm | undefined,
  hour: number,
  atMs: number,
  sinceMs: number,
  base: number,
): Rhythm | undefined {
  const now = wholeTicks(atMs);
  const intoHour = now - sinceMs - hour * HOUR_MS;
  if (track.hourCount === 0 || (intoHour >= 0 && intoHour < HOUR_MS)) return rhythm;
  const lastHour = hourOf(now - sinceMs);
  const mean = base + track.hourSum / track.hourCount;
  if (dayOf(hour) > dayOf(lastHour)) forget(track);
  const over = { hour: lastHour, mean, readings: track.readings, tainted: track.tainted };
  track.hourSum = 0;
  track.hourCount = 0;
  track.tainted = false;
  const lesson = closeHour(rhythm ?? emptyRhythm(base), over);
  if (lesson === undefined) return rhythm;
  track.pending = withHour(track.pending, lesson.skipped, lesson.digit);
  return lesson.rhythm;
}

const wholeTicks = (ms: number): number => Math.floor(ms / 64) * 64;

/** The unit of 16-bit numbers: by the first value that is not zero, and larger when numbers outgrow it. */
function settleUnit(track: Track, value: number, offset: number, base: number): void {
  if (track.exponent === NO_UNIT) {
    if (value !== 0) track.exponent = exponentOf(Math.abs(value));
    return;
  }
  const before = unitOf(track);
  if (Math.abs(offset) <= UNITS_MAX * before) return;
  track.exponent = exponentOf(Math.abs(offset));
  const factor = before / unitOf(track);
  for (const view of VIEWS) {
    if (view !== 'level') rescaleBand(track, VIEW[view], (edge) => edge * factor);
  }
  rescaleBand(track, VIEW.level, (edge) =>
    levelOf(levelValue(edge, before, base), unitOf(track), base),
  );
  track.low = f16(track.low * factor);
  track.previousLow = f16(track.previousLow * factor);
  track.dayDrift = f16(track.dayDrift * factor);
  track.fastGap = f16(track.fastGap * factor);
  track.noise = f16(track.noise * factor);
}

const exponentOf = (size: number): number =>
  Math.max(-120, Math.min(120, Math.round(Math.log2(size)) + 0)); // no negative zero

/** The logarithm of the last base, which is nearly always that of the next reading. */
const origin = { units: 0, level: 0 };

/**
 * Logarithm for large values, linear around zero, so that changes count by their share of the value; as the distance
 * from that of `base`, which leaves 16 bits precise where values vary little around a large one.
 */
function levelOf(value: number, unit: number, base: number): number {
  const units = base / unit;
  if (units !== origin.units) {
    origin.units = units;
    origin.level = logarithm(units);
  }
  return LEVEL_SCALE * (logarithm(value / unit) - origin.level);
}

const logarithm = (units: number): number => (units < 0 ? -Math.log1p(-units) : Math.log1p(units));

function levelValue(level: number, unit: number, base: number): number {
  const sum = level / LEVEL_SCALE + logarithm(base / unit);
  return Math.sign(sum) * unit * Math.expm1(Math.abs(sum));
}

/** Least and greatest of all readings so far, as far as that range was drawn out; nothing before the first. */
export function rangeSoFar(track: Track): readonly [number, number] | undefined {
  const [low = Number.NaN, high = Number.NaN] = track.bands;
  if (Number.isNaN(low)) return undefined;
  const unit = unitOf(track);
  const base = baseOf(track);
  return [levelValue(low, unit, base), levelValue(high, unit, base)];
}

const baseOf = ({ kind, anchor }: Track): number => (kind === 'counter' ? 0 : anchor);

function begin(track: Track, offset: number, unit: number): void {
  track.centre = f24(offset);
  track.last = f32(offset);
  track.low = track.previousLow = f16(offset / unit);
}

/** After a gap, what is short in memory begins anew, so that the gap itself is no evidence. */
function catchUp(track: Track, offset: number, unit: number, sinceMs: number): void {
  if (sinceMs >= 0 && !(sinceMs > GAP_INTERVALS * intervalMs(track.interval))) return;
  track.fastGap = 0;
  track.dayDrift = 0;
  track.low = f16(offset / unit);
  track.previousLow = Math.min(track.low, lowEdge(track, VIEW.floor));
  track.blockFill = 0;
  track.last = f32(offset);
  track.sideRun = 0;
}

/** Moves the centre and the spread, and notes the value's distance from where they were. */
function follow(track: Track, offset: number, unit: number): void {
  const count = track.readings + 1;
  const distance = offset - track.centre;
  const young = count < SETTLING_READINGS;
  const reach = CENTRE_REACH * evidence.spread;
  const side = distance > reach ? 1 : distance < -reach ? -1 : 0;
  track.sideRun = side !== 0 && track.sideRun * side > 0 ? limited(track.sideRun + side) : side;
  const gain = count * CENTRE_GAIN > 1 ? CENTRE_GAIN : 1 / count;
  const haste = 1 + Math.max(0, Math.abs(track.sideRun) - FOLLOW_AFTER) / FOLLOW_PACE;
  const moved = young ? distance : clamp(distance, reach * haste);
  const spreadBy = young ? distance : clamp(distance, reach);
  const fast = track.centre + track.fastGap * unit;
  track.centre = f24(track.centre + gain * moved);
  track.fastGap = f16((fast + FAST_GAIN * (offset - fast) - track.centre) / unit);
  const leak = young ? 0 : gain * VARIANCE_LEAK * distance * distance;
  track.variance = f24(
    track.variance + gain * (VARIANCE_CORRECTION * spreadBy * spreadBy - track.variance) + leak,
  );
  evidence.deviations = young ? 0 : distance / evidence.spread;
  evidence.direction = evidence.deviations < 0 ? -1 : 1;
}

const clamp = (value: number, limit: number): number =>
  value > limit ? limit : Math.max(value, -limit);

const limited = (run: number): number => Math.max(-127, Math.min(127, run));

/** Whether a reading is no neighbour of the last one: after a pause, or from another time. */
const isApart = ({ interval }: Track, sinceMs: number): boolean =>
  sinceMs < 0 || sinceMs > NEIGHBOUR_INTERVALS * intervalMs(interval);

/** Brings the short memories up to this value. */
function remember(track: Track, offset: number, unit: number, apart: boolean): void {
  const inUnits = f16(offset / unit);
  if (!apart) {
    const difference = Math.abs(offset - track.last) / unit;
    track.noise = f16(track.noise + NOISE_GAIN * (difference - track.noise));
  }
  if (track.blockFill >= BLOCK_READINGS) {
    track.previousLow = track.low;
    track.blockFill = 0;
  }
  track.low = track.blockFill === 0 ? inUnits : Math.min(track.low, inUnits);
  track.blockFill += 1;
  if (track.hourCount === READINGS_MAX) return;
  track.hourSum = f24(track.hourSum + offset);
  track.hourCount += 1;
}

const isSettled = ({ readings }: Track): boolean => readings + 1 >= SETTLING_READINGS;

function weighValue(track: Track, value: number, unit: number, base: number): void {
  const level = f16(levelOf(value, unit, base));
  weighView(track, VIEW.level, level, LEVEL_SCALE * RESOLUTION, 0);
  if (!isSettled(track)) return;
  const floor = Math.min(track.low, track.previousLow);
  weighView(track, VIEW.floor, floor, RESOLUTION, 0);
  weighView(track, VIEW.shift, track.fastGap, RESOLUTION, 0);
}

/** What was expected of the last hour that was asked for. */
const expectation = { rhythm: emptyRhythm(0), hour: 0, ofDay: Number.NaN, ofWeek: Number.NaN };

function expectIn(rhythm: Rhythm, hour: number): typeof expectation {
  if (rhythm !== expectation.rhythm || hour !== expectation.hour) {
    expectation.rhythm = rhythm;
    expectation.hour = hour;
    expectation.ofDay = dayExpectation(rhythm, hour);
    expectation.ofWeek = weekExpectation(rhythm, hour);
  }
  return expectation;
}

function weighRhythm(
  track: Track,
  rhythm: Rhythm,
  hour: number,
  value: number,
  unit: number,
): void {
  const { dayFrom, weekFrom } = rhythm;
  const { ofDay, ofWeek } = expectIn(rhythm, hour);
  const fromDay = (value - ofDay) / unit;
  if (!Number.isNaN(fromDay)) weighView(track, VIEW.day, f16(fromDay), RESOLUTION, dayFrom);
  if (weekFrom > 0 && !Number.isNaN(ofWeek)) {
    weighView(track, VIEW.week, f16((value - ofWeek) / unit), RESOLUTION, weekFrom);
  }
  if (Number.isNaN(fromDay)) return;
  track.dayDrift = f16(track.dayDrift + DAY_DRIFT_GAIN * (fromDay - track.dayDrift));
  weighView(track, VIEW.dayDrift, track.dayDrift, RESOLUTION, dayFrom);
}

const edges: Edges = { low: 0, high: 0 };

/** @param from  readings before the view's first, 0 for the views that are there from the beginning */
function weighView(track: Track, index: number, value: number, floor: number, from: number): void {
  const { readings } = track;
  const seen = readings >= READINGS_MAX ? READINGS_MAX : Math.max(1, 1 + readings - from);
  const eager = seen < (from > 0 ? RHYTHM_WARM_UP_READINGS : WARM_UP_READINGS);
  const found = weigh(track, index, value, floor, eager, edges);
  if (found === 0) return;
  const weight = found * (index === VIEW.floor ? worthOfFloor(seen) : worthOf(seen));
  const strongest = evidence.view === undefined ? 0 : (evidence.weights[VIEW[evidence.view]] ?? 0);
  evidence.total += weight;
  evidence.weights[index] = weight;
  if (weight <= strongest || (index === VIEW.noise && evidence.view !== undefined)) return;
  evidence.view = VIEWS[index];
  evidence.low = edges.low;
  evidence.high = edges.high;
  if (value > edges.high) evidence.direction = 1;
  else if (value < edges.low) evidence.direction = -1;
}

/** A record among n readings comes by chance once in n: young ranges count for less. */
const worthOf = (seen: number): number => Math.min(1, Math.log(1 + seen) / FULL_WEIGHT_READINGS);

/** Each value of a floor is of 32 readings, so that a range of a few says little: it is all there at 500. */
const worthOfFloor = (seen: number): number => worthOf(seen) * Math.min(1, seen / 500);

/** Puts the strongest view's range into the metric's own unit, around what was expected. */
function explain(rhythm: Rhythm | undefined, hour: number, unit: number, base: number): void {
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
  let from = view === 'floor' ? base : level;
  if (rhythm !== undefined && (view === 'day' || view === 'week' || view === 'dayDrift')) {
    const { ofDay, ofWeek } = expectIn(rhythm, hour);
    from = view === 'week' ? ofWeek : ofDay;
    evidence.expected = from;
  }
  evidence.low = from + low * unit;
  evidence.high = from + high * unit;
}

function keep(track: Track, atMs: number, offset: number, sinceMs: number): void {
  const last = f32(offset);
  noteRun(track, last);
  track.last = last;
  track.interval = towardsInterval(track.interval, sinceMs);
  if (track.readings < READINGS_MAX) track.readings += 1;
  track.tick = tickOf(atMs);
}
