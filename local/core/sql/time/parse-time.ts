/** java.time's pattern language (DateTimeFormatter of JDK 11), which time_to_epoch reads. */
import { DAY_MS, dayMs, MONTHS, shortName, WEEKDAYS } from './calendar.ts';
import { type PatternPiece, patternPieces } from './pattern.ts';
import { instantOf, offsetOf, UTC, type Zone, zoneOf } from './zone.ts';

/** What has been read so far; ISO fields, and the zone if the text names one. */
interface Fields {
  [field: string]: number | undefined;
}
interface Reading {
  readonly at: number;
  readonly fields: Fields;
  readonly zone?: Zone;
}
/** Reads on from a position, or refuses. `reserved`: digits that adjacent fields still need. */
type Reader = (text: string, from: Reading, reserved: number) => Reading | undefined;
type Part = {
  readonly read: Reader;
  /** Digits of a field of fixed width, 0 for one whose width varies; absent for no number. */
  readonly width?: number;
};

/** The instant a text states by a java.time pattern, UTC unless it names a zone; undefined if it does not fit. */
export function parseTime(text: string, pattern: string): number | undefined {
  const parts = compileParts(pattern);
  const reading = parts === undefined ? undefined : readAll(parts, text, START);
  if (reading === undefined || reading.at !== text.length) return undefined;
  const local = localMs(reading.fields);
  if (local === undefined || !Number.isFinite(local)) return undefined;
  const instant = instantOf(local, reading.zone ?? UTC);
  return Number.isFinite(instant) ? instant : undefined;
}

/** The first letter of a pattern that java.time knows and this reader does not. */
export function unsupportedTimeLetter(pattern: string): string | undefined {
  const pieces = patternPieces(pattern) ?? [];
  return pieces
    .flatMap((piece) => ('letter' in piece ? [piece.letter] : []))
    .find((letter) => UNSUPPORTED.includes(letter));
}

const UNSUPPORTED = 'QqYwWecFpgBv';
const START: Reading = { at: 0, fields: {} };
const MOST_OPTIONALS = 10;

function readAll(parts: readonly Part[], text: string, from: Reading): Reading | undefined {
  let reading: Reading | undefined = from;
  for (const [index, part] of parts.entries()) {
    reading = part.read(text, reading, reservedAfter(parts, index));
    if (reading === undefined) return undefined;
  }
  return reading;
}

/** Fixed-width numbers directly behind a number leave it only the digits they do not need. */
function reservedAfter(parts: readonly Part[], index: number): number {
  let reserved = 0;
  for (const { width } of parts.slice(index + 1)) {
    if (width === undefined || width === 0) break;
    reserved += width;
  }
  return parts[index]?.width === 0 ? reserved : 0;
}

function compileParts(pattern: string): readonly Part[] | undefined {
  const pieces = patternPieces(pattern);
  if (pieces === undefined) return undefined;
  const stack: Part[][] = [[]];
  for (const piece of pieces) {
    const bracket = 'text' in piece && !piece.quoted ? piece.text : '';
    if (bracket === '[') {
      if (stack.length > MOST_OPTIONALS) return undefined;
      stack.push([]);
    } else if (bracket === ']') {
      const inner = stack.pop();
      if (inner === undefined || stack.length === 0) return undefined;
      stack.at(-1)?.push(optional(inner));
    } else {
      const part = partOf(piece);
      if (part === undefined) return undefined;
      stack.at(-1)?.push(part);
    }
  }
  // an open bracket closes at the pattern's end, as in Java
  while (stack.length > 1) stack.at(-2)?.push(optional(stack.pop() ?? []));
  return stack[0];
}

const optional = (parts: readonly Part[]): Part => ({
  read: (text, from) => readAll(parts, text, from) ?? from,
});

function partOf(piece: PatternPiece): Part | undefined {
  if ('text' in piece) {
    return !piece.quoted && /[{}#]/.test(piece.text) ? undefined : literal(piece.text);
  }
  const { letter, count } = piece;
  const make = LETTERS[letter];
  return make?.(count);
}

const literal = (expected: string): Part => ({
  read: (text, from) =>
    text.startsWith(expected, from.at) ? { ...from, at: from.at + expected.length } : undefined,
});

const LONGEST_NUMBER = 15;

/** A number of exactly `count` digits from two letters on, of any width for one. */
const number =
  (field: string, longest = 2) =>
  (count: number): Part | undefined => {
    if (count > longest) return undefined;
    return digitsPart(field, count, count === 1 ? LONGEST_NUMBER : count);
  };

function digitsPart(field: string, least: number, most: number): Part {
  return {
    width: least === most ? least : 0,
    read: (text, from, reserved) => {
      const available = /^\d*/.exec(text.slice(from.at, from.at + most + reserved))?.[0] ?? '';
      const width = Math.min(most, Math.max(least, available.length - reserved));
      if (available.length < width) return undefined;
      const value = Number(available.slice(0, width));
      return put(from, field, value, width);
    },
  };
}

/** A field named twice must have the same value both times. */
function put(from: Reading, field: string, value: number, width: number): Reading | undefined {
  const known = from.fields[field];
  if (known !== undefined && known !== value) return undefined;
  return { ...from, at: from.at + width, fields: { ...from.fields, [field]: value } };
}

/** `yy` is a year of 2000 to 2099; `yyyy` takes more digits only behind a plus sign. */
const year =
  (field: string) =>
  (count: number): Part => {
    if (count === 2) {
      const two = digitsPart(field, 2, 2);
      return {
        width: 2,
        read: (text, from, reserved) => {
          const read = two.read(text, { ...from, fields: {} }, reserved);
          return read && put(from, field, 2000 + (read.fields[field] ?? 0), 2);
        },
      };
    }
    const plain = digitsPart(field, count, count < 4 ? LONGEST_NUMBER : count);
    const signed = digitsPart(field, count, LONGEST_NUMBER);
    return {
      width: 0,
      read: (text, from, reserved) => readYear(plain, signed, text, from, reserved),
    };
  };

function readYear(
  plain: Part,
  signed: Part,
  text: string,
  from: Reading,
  reserved: number,
): Reading | undefined {
  const sign = text.charAt(from.at);
  if (sign !== '-' && sign !== '+') return plain.read(text, from, reserved);
  const read = signed.read(text, { at: from.at + 1, fields: {} }, reserved);
  const [field, size] = Object.entries(read?.fields ?? {})[0] ?? [];
  if (read === undefined || field === undefined || size === undefined) return undefined;
  return put(from, field, sign === '-' ? -size : size, read.at - from.at);
}

/** A name out of a list, by its position from 1. */
const names = (field: string, list: readonly string[], first = 1): Part => ({
  read: (text, from) => {
    const index = list.findIndex((name) => text.startsWith(name, from.at));
    const name = list[index];
    return name === undefined ? undefined : put(from, field, index + first, name.length);
  },
});

const textOrNumber = (field: string, list: readonly string[]) => (count: number) => {
  if (count <= 2) return number(field)(count);
  if (count === 3) return names(field, list.map(shortName));
  return count === 4 ? names(field, list) : undefined;
};

const weekday = (count: number): Part | undefined =>
  count > 4 ? undefined : names('weekday', count === 4 ? WEEKDAYS : WEEKDAYS.map(shortName));

/** S is a fraction: 5 behind `S` is half a second. */
const fraction = (count: number): Part | undefined => {
  if (count > 9) return undefined;
  const part = digitsPart('nano', count, count);
  return {
    width: count,
    read: (text, from, reserved) => {
      const read = part.read(text, { ...from, fields: {} }, reserved);
      return read && put(from, 'nano', (read.fields['nano'] ?? 0) * 10 ** (9 - count), count);
    },
  };
};

const zonePart = (pattern: RegExp, zone: (found: string) => Zone | undefined): Part => ({
  read: (text, from) => {
    const found = pattern.exec(text.slice(from.at, from.at + LONGEST_ZONE))?.[0];
    const read = found === undefined ? undefined : zone(found);
    return read && found !== undefined
      ? { ...from, at: from.at + found.length, zone: read }
      : undefined;
  },
});
const LONGEST_ZONE = 64;

const ZONE_ID =
  /^(?:(?:UTC|UT|GMT)?[+-]\d{1,2}(?::?\d{2}){0,2}|[A-Za-z][A-Za-z0-9~/._-]*(?:[+-]\d{1,2})?)/;

const zoneId = (count: number): Part | undefined =>
  count === 2 ? zonePart(ZONE_ID, zoneOf) : undefined;

/** The names Java prints for `z`, as the regions they stand for; several regions share most of them. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  PST: 'America/Los_Angeles',
  PDT: 'America/Los_Angeles',
  MST: 'America/Denver',
  MDT: 'America/Denver',
  CST: 'America/Chicago',
  CDT: 'America/Chicago',
  EST: 'America/New_York',
  EDT: 'America/New_York',
  AKST: 'America/Anchorage',
  AKDT: 'America/Anchorage',
  HST: 'Pacific/Honolulu',
  WET: 'Europe/Lisbon',
  WEST: 'Europe/Lisbon',
  BST: 'Europe/London',
  CET: 'Europe/Paris',
  CEST: 'Europe/Paris',
  EET: 'Europe/Bucharest',
  EEST: 'Europe/Bucharest',
  MSK: 'Europe/Moscow',
  JST: 'Asia/Tokyo',
  IST: 'Asia/Kolkata',
  AEST: 'Australia/Sydney',
  AEDT: 'Australia/Sydney',
};

const zoneName = (count: number): Part | undefined =>
  count > 4 ? undefined : zonePart(ZONE_ID, (found) => zoneOf(ABBREVIATIONS[found] ?? found));

const fixed = (found: string): Zone | undefined => {
  const offset = found === 'Z' ? 0 : offsetOf(found);
  return offset === undefined ? undefined : { ...UTC, id: found, offsetMs: () => offset };
};

/** The shapes of X by its count; x is the same without Z for zero. */
const OFFSETS = [
  '[+-]\\d{2}(?:\\d{2})?',
  '[+-]\\d{4}',
  '[+-]\\d{2}:\\d{2}',
  '[+-]\\d{4}(?:\\d{2})?',
  '[+-]\\d{2}:\\d{2}(?::\\d{2})?',
];

const offsetPart =
  (zero: string) =>
  (count: number): Part | undefined => {
    const shape = OFFSETS[count - 1];
    return shape === undefined ? undefined : zonePart(new RegExp(`^(?:${shape}${zero})`), fixed);
  };

const offsetZ = (count: number): Part | undefined => {
  if (count <= 3) return zonePart(/^[+-]\d{4}/, fixed);
  return count === 4 ? localizedOffset(4) : offsetPart('|Z')(count);
};

const localizedOffset = (count: number): Part | undefined =>
  count === 1 || count === 4 ? zonePart(/^GMT(?:[+-]\d{1,2}(?::\d{2}){0,2})?/, zoneOf) : undefined;

const one =
  (part: Part) =>
  (count: number): Part | undefined =>
    count === 1 ? part : undefined;

const LETTERS: Readonly<Record<string, (count: number) => Part | undefined>> = {
  G: (count) =>
    count <= 3 ? names('era', ['BC', 'AD'], 0) : names('era', ['Before Christ', 'Anno Domini'], 0),
  u: year('year'),
  y: year('yearOfEra'),
  D: number('dayOfYear', 3),
  M: textOrNumber('month', MONTHS),
  L: textOrNumber('month', MONTHS),
  d: number('day'),
  E: weekday,
  a: one(names('half', ['AM', 'PM'], 0)),
  h: number('clockHourOfHalf'),
  K: number('hourOfHalf'),
  k: number('clockHour'),
  H: number('hour'),
  m: number('minute'),
  s: number('second'),
  S: fraction,
  A: number('milliOfDay', 15),
  n: number('nano', 9),
  N: number('nanoOfDay', 15),
  V: zoneId,
  z: zoneName,
  O: localizedOffset,
  X: offsetPart('|Z'),
  x: offsetPart(''),
  Z: offsetZ,
};

function localMs(fields: Fields): number | undefined {
  const date = dateMs(fields);
  const time = timeMs(fields);
  return date === undefined || time === undefined ? undefined : date + time;
}

/** java.time's smart resolving: day 31 of a shorter month is its last day, day 32 is an error. */
function dateMs(fields: Fields): number | undefined {
  const { yearOfEra, era, month, day, dayOfYear } = fields;
  const ofEra = yearOfEra !== undefined && era === 0 ? 1 - yearOfEra : yearOfEra;
  const year = fields['year'] ?? ofEra;
  if (year === undefined) return undefined;
  const date = dayOfYear === undefined ? monthDayMs(year, month, day) : yearDayMs(year, dayOfYear);
  if (date === undefined || fields['weekday'] === undefined) return date;
  const weekday = ((new Date(date).getUTCDay() + 6) % 7) + 1;
  return weekday === fields['weekday'] ? date : undefined;
}

function monthDayMs(year: number, month?: number, day?: number): number | undefined {
  if (month === undefined || day === undefined) return undefined;
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const last = new Date(dayMs(year, month + 1, 0)).getUTCDate();
  return dayMs(year, month, Math.min(day, last));
}

function yearDayMs(year: number, dayOfYear: number): number | undefined {
  const date = dayMs(year, 1, 1) + (dayOfYear - 1) * DAY_MS;
  return new Date(date).getUTCFullYear() === year ? date : undefined;
}

/** Midnight if the text states no time at all. */
function timeMs(fields: Fields): number | undefined {
  if (fields['milliOfDay'] !== undefined) return below(fields['milliOfDay'], DAY_MS);
  if (fields['nanoOfDay'] !== undefined) return below(fields['nanoOfDay'] / 1e6, DAY_MS);
  const hour = hourOf(fields);
  const { minute = 0, second = 0, nano = 0 } = fields;
  if (hour === undefined || minute > 59 || second > 59) return undefined;
  if (hour === 24 && (minute > 0 || second > 0 || nano > 0)) return undefined;
  return Math.floor((hour * 60 + minute) * 60_000 + second * 1_000 + nano / 1e6);
}

const below = (value: number, limit: number): number | undefined =>
  value < limit ? Math.floor(value) : undefined;

/** Hours of the day; undefined for one out of range, or a 12-hour clock without AM or PM. */
function hourOf(fields: Fields): number | undefined {
  const { hour, clockHour, clockHourOfHalf, hourOfHalf, half } = fields;
  if (hour !== undefined) return hour <= 24 ? hour : undefined;
  if (clockHour !== undefined)
    return clockHour >= 1 && clockHour <= 24 ? clockHour % 24 : undefined;
  const ofHalf = clockHourOfHalf === undefined ? hourOfHalf : clockHourOfHalf % 12;
  if (ofHalf === undefined) return 0;
  if (half === undefined || (clockHourOfHalf ?? 1) < 1 || (clockHourOfHalf ?? 1) > 12) {
    return undefined;
  }
  return ofHalf <= 11 ? ofHalf + 12 * half : undefined;
}
