import { getF24, getI24, setF24, setI24 } from './byte-numbers.ts';
import {
  CODES_MAX,
  DAY_HOURS,
  HISTORY_DAYS,
  type Rhythm,
  UNIT_EXPONENT_MIN,
  WEEK_HOURS,
} from './rhythm.ts';

const HEAD_BYTES = 24;
const CODES = DAY_HOURS + WEEK_HOURS + HISTORY_DAYS;
const UNKNOWN = 255;

/** Rhythms of eight metrics and their names fit two write units of DynamoDB. */
export const RHYTHM_BYTES = HEAD_BYTES + CODES;

/** Where there is no rhythm yet: no unit has this exponent. */
const NO_RHYTHM = UNIT_EXPONENT_MIN - 1;

/** Writes a rhythm, little-endian, from `at`; nothing of it is lost. */
export function packRhythm(rhythm: Rhythm | undefined, view: DataView, at: number): void {
  if (rhythm === undefined) {
    view.setInt8(at, NO_RHYTHM);
    return;
  }
  const { unit } = rhythm;
  const lowest = rhythm.low / unit;
  view.setInt8(at, Math.log2(unit));
  view.setUint8(at + 1, rhythm.dayCount);
  view.setFloat32(at + 2, rhythm.anchor, true);
  setI24(view, at + 6, lowest);
  view.setUint32(at + 9, rhythm.hour, true);
  view.setUint16(at + 13, rhythm.dayFrom, true);
  view.setUint16(at + 15, rhythm.weekFrom, true);
  setF24(view, at + 17, rhythm.daySum);
  view.setFloat16(at + 20, rhythm.step / unit, true);
  view.setFloat16(at + 22, rhythm.lead / unit, true);
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
  const exponent = view.getInt8(at);
  if (exponent === NO_RHYTHM) return undefined;
  const unit = 2 ** exponent;
  const anchor = view.getFloat32(at + 2, true);
  const lowest = getI24(view, at + 6);
  const daySum = getF24(view, at + 17);
  const step = view.getFloat16(at + 20, true) * unit;
  const lead = view.getFloat16(at + 22, true) * unit;
  if (!(Number.isFinite(anchor + daySum + step + lead) && step >= 0)) return 'unreadable';
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
    hour: view.getUint32(at + 9, true),
    dayFrom: view.getUint16(at + 13, true),
    weekFrom: view.getUint16(at + 15, true),
    day: list(0, DAY_HOURS),
    week: list(DAY_HOURS, DAY_HOURS + WEEK_HOURS),
    days: list(DAY_HOURS + WEEK_HOURS, CODES),
    daySum,
    dayCount: view.getUint8(at + 1),
    step,
    lead,
  };
}
