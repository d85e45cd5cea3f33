import { NOTHING_PENDING } from './rhythm-hour.ts';

/*
 * What is kept of one metric between two readings, in 96 bytes: see `track-bytes.ts` for the layout. Every number here
 * is already rounded to what its bytes hold (`f16`, `f24`, `f32`, counts that saturate), so that packing loses nothing and it
 * makes no difference where one batch ends and the next begins.
 */

/** How the numbers of a metric are to be read: as they are, as increments over time, or as two states. */
export type MetricKind = 'gauge' | 'counter' | 'boolean';

/** Views of a metric whose range so far is kept; the order is that of the bytes. */
export const VIEWS = ['level', 'floor', 'shift', 'day', 'week', 'dayDrift', 'noise'] as const;
export type View = (typeof VIEWS)[number];
export const VIEW = {
  level: 0,
  floor: 1,
  shift: 2,
  day: 3,
  week: 4,
  dayDrift: 5,
  noise: 6,
} as const satisfies Record<View, number>;

/** Numbers of a band: low and high edge, and how far inside of them the patient edges are (0 to 255 of the range). */
export const BAND_STRIDE = 4;

export interface Track {
  kind: MetricKind;
  /** Until enough readings are there to tell a counter from a gauge: none fell, and how many rose. */
  undecided: boolean;
  /** Since the present hour began there was an anomaly: its mean is not learned as rhythm. */
  tainted: boolean;
  /** Unit of what is kept in 16 bits, as a power of two; `NO_UNIT` while only zeros were seen. */
  exponent: number;
  /** Readings taken, up to 65535. */
  readings: number;
  /** Time of the last reading in ticks of 64 ms, modulo 2^32. */
  tick: number;
  /** Gauge: what the offsets below are measured from. Counter: the last count. Boolean: when it last changed, ms. */
  anchor: number;
  /** Offset of the last value (counter: the last rate). */
  last: number;
  /** Offset of the mean of about a hundred readings, outliers held back. */
  centre: number;
  /** Variance around it, outliers held back. */
  variance: number;
  /** In units: how far the mean of about ten readings is from the centre. */
  fastGap: number;
  /** Sum of offsets of the present hour, and how many. */
  hourSum: number;
  hourCount: number;
  /** In units: smoothed distance to the daily rhythm. */
  dayDrift: number;
  /** In units: the least offset of the present and of the previous block of readings. */
  low: number;
  previousLow: number;
  blockFill: number;
  /** In units: mean distance between neighbouring readings. */
  noise: number;
  /** Evidence lately given, in 24ths, up to `REST_MAX`: what follows must exceed half of it. */
  rest: number;
  /** How unusual the last readings were, in 127ths. */
  suspicion: number;
  /** Readings in a row with the same value, up to 65535; the longest such run that is over, in sixteenths of an
   * octave; 0 before there was one. */
  equalRun: number;
  longestRun: number;
  /** Readings in a row above (positive) or below the usual spread, up to 127. */
  sideRun: number;
  /** Usual time between readings: 2^(x/8) ms of 16 ms; 0 when not known. */
  interval: number;
  /** What the last hours taught the rhythm since it was last written: see `rhythm-hour.ts`. */
  pending: number;
  bands: number[];
}

/** Readings in which a metric is only learned. */
export const WARM_UP_READINGS = 32;

export const NO_UNIT = -128;
export const READINGS_MAX = 65_535;
export const REST_MAX = 255;
export const BLOCK_READINGS = 32;

export const emptyTrack = (kind: MetricKind | undefined): Track => ({
  kind: kind ?? 'gauge',
  undecided: kind === undefined,
  tainted: false,
  exponent: NO_UNIT,
  readings: 0,
  tick: 0,
  anchor: 0,
  last: 0,
  centre: 0,
  variance: 0,
  fastGap: 0,
  hourSum: 0,
  hourCount: 0,
  dayDrift: 0,
  low: 0,
  previousLow: 0,
  blockFill: 0,
  noise: 0,
  rest: 0,
  suspicion: 0,
  equalRun: 0,
  longestRun: 0,
  sideRun: 0,
  interval: 0,
  pending: NOTHING_PENDING,
  bands: Array.from({ length: VIEWS.length * BAND_STRIDE }, (_, at) =>
    at % BAND_STRIDE < 2 ? Number.NaN : 0,
  ),
});

export const copyTrack = (track: Track): Track => ({ ...track, bands: track.bands.slice() });
