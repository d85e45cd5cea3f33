import { f16, f32 } from './track.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const DAY_HOURS = 24;
const WEEK_HOURS = 168;
const HISTORY_DAYS = 28;
const READINGS_MAX = 65_535;

/** Share of a new mean in the profile of its hour. */
const DAY_GAIN = 0.3;
const WEEK_GAIN = 0.4;
/** Of an hour with an anomaly in it, half as much is learned: it takes days to become the rhythm. */
const TAINTED_SHARE = 0.5;

/**
 * What a metric does at which hour (UTC) of the day and of the week, and its mean of each of the last days: in half a
 * kilobyte, and changed only when an hour is over, so that it is written at most hourly. Numbers are offsets from
 * `anchor`; NaN where nothing is known.
 */
export interface Rhythm {
  readonly anchor: number;
  /** Unit of the offsets in 16 bits, as a power of two; it grows with them. */
  readonly exponent: number;
  /** Readings taken when the profile of the day, and of the week, was first whole enough to compare with; 0 before. */
  readonly dayFrom: number;
  readonly weekFrom: number;
  readonly day: readonly number[];
  readonly week: readonly number[];
  /** Means of days, by the number of the day modulo 28. */
  readonly days: readonly number[];
  /** Number of the day under way, its sum of hourly means, and how many. */
  readonly dayNumber: number;
  readonly daySum: number;
  readonly dayCount: number;
}

const nothing = (count: number): number[] => new Array<number>(count).fill(Number.NaN);

const EXPONENT_MIN = -128;
const EXPONENT_MAX = 127;
/** Below the 2^16 of binary16 by a bit. */
const OFFSET_BITS = 15;

export const emptyRhythm = (anchor: number): Rhythm => ({
  anchor,
  exponent: EXPONENT_MIN,
  dayFrom: 0,
  weekFrom: 0,
  day: nothing(DAY_HOURS),
  week: nothing(WEEK_HOURS),
  days: nothing(HISTORY_DAYS),
  dayNumber: 0,
  daySum: 0,
  dayCount: 0,
});

export const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS);

/** Value expected in that hour by the profile of the day, NaN when not known. */
export const dayExpectation = (rhythm: Rhythm, hour: number): number =>
  rhythm.anchor + (rhythm.day[modulo(hour, DAY_HOURS)] ?? Number.NaN);

export const weekExpectation = (rhythm: Rhythm, hour: number): number =>
  rhythm.anchor + (rhythm.week[modulo(hour, WEEK_HOURS)] ?? Number.NaN);

/** An hour that is over: what it was, and whether it is to be learned. */
export interface Hour {
  readonly hour: number;
  readonly mean: number;
  /** Readings taken of the metric up to now. */
  readonly readings: number;
  /** An anomaly fell into it: its mean says nothing of the rhythm where the hour is known already. */
  readonly tainted: boolean;
}

/** The rhythm with one more hour in it. */
export function closeHour(before: Rhythm, { hour, mean, readings, tainted }: Hour): Rhythm {
  const offset = mean - before.anchor;
  const rhythm = withRoomFor(before, offset);
  const ofDay = modulo(hour, DAY_HOURS);
  const ofWeek = modulo(hour, WEEK_HOURS);
  const knewDay = !Number.isNaN(rhythm.day[ofDay] ?? Number.NaN);
  const knewWeek = !Number.isNaN(rhythm.week[ofWeek] ?? Number.NaN);
  return {
    ...withDay(rhythm, Math.floor(hour / DAY_HOURS), offset),
    day: learned(
      rhythm,
      rhythm.day,
      ofDay,
      offset,
      tainted && knewDay ? TAINTED_SHARE * DAY_GAIN : DAY_GAIN,
    ),
    week: learned(
      rhythm,
      rhythm.week,
      ofWeek,
      offset,
      tainted && knewWeek ? TAINTED_SHARE * WEEK_GAIN : WEEK_GAIN,
    ),
    dayFrom: rhythm.dayFrom > 0 || !knewDay ? rhythm.dayFrom : Math.min(readings, READINGS_MAX),
    weekFrom: rhythm.weekFrom > 0 || !knewWeek ? rhythm.weekFrom : Math.min(readings, READINGS_MAX),
  };
}

/** The rhythm in a unit in which the offset fits 16 bits. */
function withRoomFor(rhythm: Rhythm, offset: number): Rhythm {
  const wanted = offset === 0 ? EXPONENT_MIN : Math.ceil(Math.log2(Math.abs(offset))) - OFFSET_BITS;
  if (wanted <= rhythm.exponent) return rhythm;
  const exponent = Math.min(EXPONENT_MAX, wanted);
  const round = (value: number) => rounded(value, exponent);
  return {
    ...rhythm,
    exponent,
    day: rhythm.day.map(round),
    week: rhythm.week.map(round),
    days: rhythm.days.map(round),
  };
}

const rounded = (value: number, exponent: number): number =>
  f16(value / 2 ** exponent) * 2 ** exponent;

function learned(
  { exponent }: Rhythm,
  profile: readonly number[],
  at: number,
  value: number,
  gain: number,
): number[] {
  const next = profile.slice();
  const known = next[at] ?? Number.NaN;
  next[at] = rounded(Number.isNaN(known) ? value : known + gain * (value - known), exponent);
  return next;
}

function withDay(rhythm: Rhythm, dayNumber: number, offset: number): Rhythm {
  if (rhythm.dayCount > 0 && rhythm.dayNumber === dayNumber) {
    return { ...rhythm, daySum: f32(rhythm.daySum + offset), dayCount: rhythm.dayCount + 1 };
  }
  const days = rhythm.days.slice();
  if (rhythm.dayCount > 0) {
    days[modulo(rhythm.dayNumber, HISTORY_DAYS)] = rounded(
      rhythm.daySum / rhythm.dayCount,
      rhythm.exponent,
    );
    const skipped = Math.min(Math.max(0, dayNumber - rhythm.dayNumber - 1), HISTORY_DAYS);
    for (let day = 1; day <= skipped; day += 1) {
      days[modulo(rhythm.dayNumber + day, HISTORY_DAYS)] = Number.NaN;
    }
  }
  return { ...rhythm, days, dayNumber, daySum: f32(offset), dayCount: 1 };
}

/** Means of the days that are over, oldest first; days without readings are left out. */
export function dailyMeans(rhythm: Rhythm): readonly { day: number; mean: number }[] {
  const means: { day: number; mean: number }[] = [];
  for (let ago = HISTORY_DAYS; ago >= 1; ago -= 1) {
    const day = rhythm.dayNumber - ago;
    const mean = rhythm.days[modulo(day, HISTORY_DAYS)] ?? Number.NaN;
    if (!Number.isNaN(mean)) means.push({ day, mean: rhythm.anchor + mean });
  }
  return means;
}

const modulo = (value: number, by: number): number => ((value % by) + by) % by;

const HEAD_BYTES = 24;

export const RHYTHM_BYTES = HEAD_BYTES + 2 * (DAY_HOURS + WEEK_HOURS + HISTORY_DAYS);

export function packRhythm(rhythm: Rhythm): Uint8Array {
  const bytes = new Uint8Array(RHYTHM_BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, rhythm.anchor, true);
  view.setUint16(8, rhythm.dayFrom, true);
  view.setUint16(10, rhythm.weekFrom, true);
  view.setInt32(12, rhythm.dayNumber, true);
  view.setFloat32(16, rhythm.daySum, true);
  view.setUint16(20, rhythm.dayCount, true);
  view.setInt8(22, rhythm.exponent);
  const unit = 2 ** rhythm.exponent;
  const numbers = [...rhythm.day, ...rhythm.week, ...rhythm.days];
  numbers.forEach((value, at) => {
    view.setFloat16(HEAD_BYTES + 2 * at, value / unit, true);
  });
  return bytes;
}

/** @returns nothing when the bytes cannot be a rhythm's: it is learned anew */
export function unpackRhythm(bytes: Uint8Array): Rhythm | undefined {
  if (bytes.length !== RHYTHM_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const anchor = view.getFloat64(0, true);
  const daySum = view.getFloat32(16, true);
  if (!(Number.isFinite(anchor) && Number.isFinite(daySum))) return undefined;
  const exponent = view.getInt8(22);
  const numbers: number[] = [];
  for (let at = HEAD_BYTES; at < RHYTHM_BYTES; at += 2) {
    const value = view.getFloat16(at, true) * 2 ** exponent;
    if (!(Number.isFinite(value) || Number.isNaN(value))) return undefined;
    numbers.push(value);
  }
  return {
    anchor,
    dayFrom: view.getUint16(8, true),
    weekFrom: view.getUint16(10, true),
    dayNumber: view.getInt32(12, true),
    daySum,
    dayCount: view.getUint16(20, true),
    exponent,
    day: numbers.slice(0, DAY_HOURS),
    week: numbers.slice(DAY_HOURS, DAY_HOURS + WEEK_HOURS),
    days: numbers.slice(DAY_HOURS + WEEK_HOURS),
  };
}
