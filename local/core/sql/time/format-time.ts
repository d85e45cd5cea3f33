/** Joda-Time's pattern language, which parse_time writes. */
import {
  dayOfYear,
  FARTHEST_MS,
  isoWeek,
  isoWeekday,
  MONTHS,
  shortName,
  WEEKDAYS,
} from './calendar.ts';
import { patternPieces } from './pattern.ts';
import { offsetText, type Zone } from './zone.ts';

interface Moment {
  readonly atMs: number;
  /** The clock on the wall, as if it were UTC. */
  readonly local: Date;
  readonly zone: Zone;
}

type Field = (moment: Moment, count: number) => string;

const digits =
  (read: (moment: Moment) => number): Field =>
  (moment, count) => {
    const value = read(moment);
    return `${value < 0 ? '-' : ''}${String(Math.abs(value)).padStart(count, '0')}`;
  };

/** Two letters mean the last two digits. */
const year = (read: (moment: Moment) => number): Field => {
  const whole = digits(read);
  return (moment, count) =>
    count === 2 ? String(Math.abs(read(moment)) % 100).padStart(2, '0') : whole(moment, count);
};

const text =
  (read: (moment: Moment) => string): Field =>
  (moment, count) =>
    count >= 4 ? read(moment) : shortName(read(moment));

const yearOfEra = ({ local }: Moment): number => {
  const value = local.getUTCFullYear();
  return value > 0 ? value : 1 - value;
};
const monthName = text(({ local }) => MONTHS[local.getUTCMonth()] ?? '');
const monthNumber = digits(({ local }) => local.getUTCMonth() + 1);
const localMs = ({ local }: Moment): number => local.getTime();

const FIELDS: Readonly<Record<string, Field>> = {
  G: ({ local }) => (local.getUTCFullYear() > 0 ? 'AD' : 'BC'),
  C: digits((moment) => Math.floor(yearOfEra(moment) / 100)),
  Y: year(yearOfEra),
  y: year(({ local }) => local.getUTCFullYear()),
  x: year((moment) => isoWeek(localMs(moment)).year),
  w: digits((moment) => isoWeek(localMs(moment)).week),
  e: digits((moment) => isoWeekday(localMs(moment))),
  E: text((moment) => WEEKDAYS[isoWeekday(localMs(moment)) - 1] ?? ''),
  D: digits((moment) => dayOfYear(localMs(moment))),
  M: (moment, count) => (count >= 3 ? monthName : monthNumber)(moment, count),
  d: digits(({ local }) => local.getUTCDate()),
  a: ({ local }) => (local.getUTCHours() < 12 ? 'AM' : 'PM'),
  K: digits(({ local }) => local.getUTCHours() % 12),
  h: digits(({ local }) => local.getUTCHours() % 12 || 12),
  H: digits(({ local }) => local.getUTCHours()),
  k: digits(({ local }) => local.getUTCHours() || 24),
  m: digits(({ local }) => local.getUTCMinutes()),
  s: digits(({ local }) => local.getUTCSeconds()),
  S: ({ local }, count) =>
    String(local.getUTCMilliseconds()).padStart(3, '0').padEnd(count, '0').slice(0, count),
  z: ({ zone, atMs }, count) => zone.name(atMs, count >= 4 ? 'long' : 'short'),
  Z: ({ zone, atMs }, count) =>
    count >= 3 ? zone.id : offsetText(zone.offsetMs(atMs), count === 2 ? ':' : ''),
};

const MOST_DIGITS = 64;

/** Writes an instant by a Joda-Time pattern; undefined for a pattern or instant that is none. */
export function formatTime(pattern: string, atMs: number, zone: Zone): string | undefined {
  const pieces = patternPieces(pattern);
  if (pieces === undefined || !(Math.abs(atMs) <= FARTHEST_MS - 1e9)) return undefined;
  const moment = { atMs, zone, local: new Date(atMs + zone.offsetMs(atMs)) };
  let written = '';
  for (const piece of pieces) {
    if ('text' in piece) written += piece.text;
    else {
      const field = FIELDS[piece.letter];
      if (field === undefined || piece.count > MOST_DIGITS) return undefined;
      written += field(moment, piece.count);
    }
  }
  return written;
}
