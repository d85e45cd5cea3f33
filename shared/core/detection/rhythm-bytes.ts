import {
  CODES_MAX,
  DAY_HOURS,
  HISTORY_DAYS,
  type Rhythm,
  UNIT_EXPONENT_MIN,
  WEEK_HOURS,
} from './rhythm.ts';

const HEAD_BYTES = 27;
const CODES = DAY_HOURS + WEEK_HOURS + HISTORY_DAYS;
const UNKNOWN = 255;

/** Rhythms of eight metrics fit two write units of DynamoDB. */
export const RHYTHM_BYTES = HEAD_BYTES + CODES;

/** Where there is no rhythm yet: no unit has this exponent. */
const NO_RHYTHM = 0x7fff;
const UNIT_EXPONENT_MAX = 200;

/** Writes a rhythm, little-endian, from `at`; nothing of it is lost. */
export function packRhythm(rhythm: Rhythm | undefined, view: DataView, at: number): void {
  if (rhythm === undefined) {
    view.setInt16(at, NO_RHYTHM, true);
    return;
  }
  const { unit } = rhythm;
  const lowest = rhythm.low / unit;
  view.setInt16(at, Math.log2(unit), true);
  view.setFloat32(at + 2, rhythm.anchor, true);
  view.setInt32(at + 6, lowest, true);
  view.setUint32(at + 10, rhythm.hour, true);
  view.setUint16(at + 14, rhythm.dayFrom, true);
  view.setUint16(at + 16, rhythm.weekFrom, true);
  view.setFloat32(at + 18, rhythm.daySum, true);
  view.setUint8(at + 22, rhythm.dayCount);
  view.setFloat32(at + 23, rhythm.step, true);
  let to = at + HEAD_BYTES;
  for (const list of [rhythm.day, rhythm.week, rhythm.days]) {
    for (const value of list) {
      view.setUint8(to, Number.isNaN(value) ? UNKNOWN : value / unit - lowest);
      to += 1;
    }
  }
}

/** @returns nothing where there was none; `unreadable` when the bytes cannot be a rhythm's: it is learned anew */
export function unpackRhythm(view: DataView, at: number): Rhythm | 'unreadable' | undefined {
  const exponent = view.getInt16(at, true);
  if (exponent === NO_RHYTHM) return undefined;
  const anchor = view.getFloat32(at + 2, true);
  const lowest = view.getInt32(at + 6, true);
  const daySum = view.getFloat32(at + 18, true);
  const step = view.getFloat32(at + 23, true);
  if (exponent < UNIT_EXPONENT_MIN || exponent > UNIT_EXPONENT_MAX) return 'unreadable';
  if (!(Number.isFinite(anchor + daySum + step) && step >= 0)) return 'unreadable';
  const unit = 2 ** exponent;
  const codes = new Uint8Array(view.buffer, view.byteOffset + at + HEAD_BYTES, CODES);
  const list = (from: number, until: number): number[] => {
    const values: number[] = [];
    for (let index = from; index < until; index += 1) {
      const code = codes[index] ?? UNKNOWN;
      values.push(code > CODES_MAX ? Number.NaN : (lowest + code) * unit);
    }
    return values;
  };
  return {
    anchor,
    unit,
    low: lowest * unit,
    hour: view.getUint32(at + 10, true),
    dayFrom: view.getUint16(at + 14, true),
    weekFrom: view.getUint16(at + 16, true),
    day: list(0, DAY_HOURS),
    week: list(DAY_HOURS, DAY_HOURS + WEEK_HOURS),
    days: list(DAY_HOURS + WEEK_HOURS, CODES),
    daySum,
    dayCount: view.getUint8(at + 22),
    step,
  };
}
