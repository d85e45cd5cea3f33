/** English names and the ISO calendar, for both pattern languages. */

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
/** From Monday, ISO day 1. */
export const WEEKDAYS = [
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
  'Sunday',
];
export const DAY_MS = 86_400_000;
/** The farthest instant a JavaScript date holds, either side of 1970. */
export const FARTHEST_MS = 8.64e15;

export const shortName = (name: string): string => name.slice(0, 3);

/** Midnight UTC of a day; months from 1, years as they are, so that 99 is not 1999. */
export function dayMs(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

export const isoWeekday = (localMs: number): number =>
  ((new Date(localMs).getUTCDay() + 6) % 7) + 1;

/** ISO week: weeks begin on Monday, week 1 holds the year's first Thursday. */
export function isoWeek(localMs: number): { readonly year: number; readonly week: number } {
  const thursday = new Date(localMs + (4 - isoWeekday(localMs)) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - dayMs(year, 1, 1)) / DAY_MS / 7) + 1;
  return { year, week };
}

export const dayOfYear = (localMs: number): number =>
  Math.floor((localMs - dayMs(new Date(localMs).getUTCFullYear(), 1, 1)) / DAY_MS) + 1;
