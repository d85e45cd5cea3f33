import { f16 } from './roundings.ts';
import { BAND_STRIDE, type Track } from './track.ts';

/** Of an excursion the eager edge takes half at once, the patient edge a little: so repeated events stay visible. */
const EAGER = 0.5;
const PATIENT = 0.03;
const PATIENT_WEIGHT = 0.2;
/** Excess, in ranges, at which half of what a view can say is said. */
const HALF_EXCESS = 0.3;
const EXCESS_MAX = 10;
const CODES = 255;
const CODE = 1 / CODES;
/** How much of a range is forgotten in a day with readings. */
const FORGET_A_DAY = 1 / 180;

/** The edges that a value was weighed against. */
export interface Edges {
  low: number;
  high: number;
}

/** Evidence by an excess of so many ranges: 0 to nearly 1. */
const weightOf = (excess: number): number => excess / (excess + HALF_EXCESS);

/**
 * Weighs a value against the range so far and widens the range by part of the excess. The measure of an excess is the
 * range itself: a spread would call every rare but usual value an anomaly.
 *
 * @param value  in binary16, as the edges are: or a constant would forever stick out by the rounding
 * @param floor  the least range: below it, differences are the sensor's resolution
 * @param eager  take the whole excess: the range is only being learned
 * @param edges  receives the range before this value, where there is any evidence
 * @returns      0 inside the range, towards 1.2 far outside
 */
export function weigh(
  track: Track,
  index: number,
  value: number,
  floor: number,
  eager: boolean,
  edges: Edges,
): number {
  const { bands } = track;
  const at = index * BAND_STRIDE;
  const low = bands[at] ?? Number.NaN;
  const high = bands[at + 1] ?? Number.NaN;
  const lowCode = bands[at + 2] ?? 0;
  const highCode = bands[at + 3] ?? 0;
  const range = high - low;
  const innerLow = low + lowCode * CODE * range;
  const innerHigh = high - highCode * CODE * range;
  if (value <= innerHigh && value >= innerLow) return 0;
  if (Number.isNaN(low)) {
    bands[at] = bands[at + 1] = value;
    return 0;
  }
  const above = value > innerHigh;
  const outer = value > high ? value - high : value < low ? low - value : 0;
  const inner = above ? value - innerHigh : innerLow - value;
  const step = eager ? inner : PATIENT * inner;
  const share = eager ? 1 : EAGER;
  const nextLow = value < low ? f16(low - share * outer) : low;
  const nextHigh = value > high ? f16(high + share * outer) : high;
  const width = nextHigh - nextLow;
  const lowGap = innerLow - (above ? 0 : step) - nextLow;
  const highGap = nextHigh - innerHigh - (above ? step : 0);
  bands[at] = nextLow;
  bands[at + 1] = nextHigh;
  bands[at + 2] = codeOf(lowGap, width, lowCode, !above && nextLow === low);
  bands[at + 3] = codeOf(highGap, width, highCode, above && nextHigh === high);
  if (eager) return 0;
  edges.low = low;
  edges.high = high;
  const excess = Math.min(EXCESS_MAX, outer / Math.max(range, floor));
  const patient = Math.min(EXCESS_MAX, inner / Math.max(innerHigh - innerLow, floor));
  return weightOf(excess) + PATIENT_WEIGHT * weightOf(patient);
}

/** A distance as a share of the range, in 255ths; one that is to shrink does so by one at least. */
function codeOf(distance: number, width: number, before: number, shrink: boolean): number {
  if (width <= 0) return 0;
  const code = Math.max(0, Math.min(CODES, Math.round((CODES * distance) / width)));
  return shrink && code >= before ? Math.max(0, before - 1) : code;
}

/** Draws all ranges together at the end of a day: what has not come again for half a year is news. */
export function forget(track: Track): void {
  const { bands } = track;
  for (let at = 0; at < bands.length; at += BAND_STRIDE) {
    const low = bands[at] ?? Number.NaN;
    const high = bands[at + 1] ?? Number.NaN;
    const middle = (low + high) / 2;
    bands[at] = f16(low + FORGET_A_DAY * (middle - low));
    bands[at + 1] = f16(high + FORGET_A_DAY * (middle - high));
  }
}

/** The low end of a view's range; infinite before there is one. */
export function lowEdge({ bands }: Track, index: number): number {
  const low = bands[index * BAND_STRIDE] ?? Number.NaN;
  return Number.isNaN(low) ? Number.POSITIVE_INFINITY : low;
}

/** Applies `scale` to the edges of one view. */
export function rescaleBand(track: Track, index: number, scale: (edge: number) => number): void {
  const { bands } = track;
  const at = index * BAND_STRIDE;
  bands[at] = f16(scale(bands[at] ?? Number.NaN));
  bands[at + 1] = f16(scale(bands[at + 1] ?? Number.NaN));
}
