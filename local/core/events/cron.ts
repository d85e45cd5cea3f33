/** A day of the month or week as a cron expression may name it, beyond plain numbers. */
type DayTest = (day: CalendarDay) => boolean;

interface CalendarDay {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** 1 is Sunday, 7 is Saturday. */
  readonly weekday: number;
  readonly daysInMonth: number;
}

export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: ReadonlySet<number>;
  readonly years: ReadonlySet<number>;
  readonly matchesDay: DayTest;
}

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly names?: readonly string[];
}

const MINUTES: Field = { name: 'minutes', from: 0, to: 59 };
const HOURS: Field = { name: 'hours', from: 0, to: 23 };
const DAYS: Field = { name: 'day of month', from: 1, to: 31 };
const MONTHS: Field = {
  name: 'month',
  from: 1,
  to: 12,
  names: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' '),
};
const WEEKDAYS: Field = {
  name: 'day of week',
  from: 1,
  to: 7,
  names: 'SUN MON TUE WED THU FRI SAT'.split(' '),
};
const YEARS: Field = { name: 'year', from: 1970, to: 2199 };

/**
 * Reads the six fields of an AWS cron expression: minutes, hours, day of month, month, day of week,
 * year; with `,` `-` `*` `/` everywhere, `?` `L` `W` in the day of the month, `?` `L` `#` in the day
 * of the week, one of which must be `?`.
 *
 * @throws {Error} naming the field at fault
 */
export function parseCron(expression: string): CronFields {
  const parts = expression.trim().split(/\s+/);
  const [minutes, hours, days, months, weekdays, years] = parts;
  if (parts.length !== 6 || years === undefined) {
    throw new Error(`cron(${expression}): takes six fields, has ${parts.length}`);
  }
  if ((days === '?') === (weekdays === '?')) {
    throw new Error(`cron(${expression}): of day of month and day of week exactly one is ?`);
  }
  return {
    minutes: numbers(minutes ?? '', MINUTES),
    hours: numbers(hours ?? '', HOURS),
    months: new Set(numbers(months ?? '', MONTHS)),
    years: new Set(numbers(years, YEARS)),
    matchesDay: weekdays === '?' ? dayOfMonth(days ?? '') : dayOfWeek(weekdays ?? ''),
  };
}

function numbers(text: string, field: Field): number[] {
  const all = text.split(',').flatMap((part) => range(part, field));
  return [...new Set(all)].sort((a, b) => a - b);
}

function range(part: string, field: Field): number[] {
  const [span = '', step, more] = part.split('/');
  const [from, to, third] = span === '*' ? [String(field.from), String(field.to)] : span.split('-');
  const by = step === undefined ? 1 : Number(step);
  const first = number(from ?? '', field);
  const onlyOne = to === undefined && step === undefined;
  const last = onlyOne ? first : to === undefined ? field.to : number(to, field);
  if (
    more !== undefined ||
    third !== undefined ||
    !Number.isInteger(by) ||
    by < 1 ||
    last < first
  ) {
    throw new Error(`cron ${field.name}: ${part} is no range`);
  }
  return Array.from(
    { length: Math.floor((last - first) / by) + 1 },
    (_, index) => first + index * by,
  );
}

function number(text: string, field: Field): number {
  const named = field.names?.indexOf(text.toUpperCase()) ?? -1;
  const value = named >= 0 ? named + field.from : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= field.from && value <= field.to) return value;
  throw new Error(`cron ${field.name}: ${text} is not within ${field.from} to ${field.to}`);
}

const anyOf = (text: string, one: (part: string) => DayTest): DayTest => {
  const tests = text.split(',').map(one);
  return (day) => tests.some((test) => test(day));
};

const dayOfMonth = (text: string): DayTest =>
  anyOf(text, (part) => {
    if (part === 'L') return ({ day, daysInMonth }) => day === daysInMonth;
    if (part === 'LW') return (date) => date.day === nearestWeekday(date.daysInMonth, date);
    const [, near] = /^(\d+)W$/.exec(part) ?? [];
    if (near !== undefined) {
      const wanted = number(near, DAYS);
      return (date) => wanted <= date.daysInMonth && date.day === nearestWeekday(wanted, date);
    }
    const days = new Set(range(part, DAYS));
    return ({ day }) => days.has(day);
  });

const dayOfWeek = (text: string): DayTest =>
  anyOf(text, (part) => {
    if (part === 'L') return ({ weekday }) => weekday === 7;
    const [, last] = /^(\w+)L$/.exec(part) ?? [];
    if (last !== undefined) {
      const wanted = number(last, WEEKDAYS);
      return ({ weekday, day, daysInMonth }) => weekday === wanted && day > daysInMonth - 7;
    }
    const [, which, nth] = /^(\w+)#([1-5])$/.exec(part) ?? [];
    if (which !== undefined) {
      const wanted = number(which, WEEKDAYS);
      return ({ weekday, day }) => weekday === wanted && Math.ceil(day / 7) === Number(nth);
    }
    const weekdays = new Set(range(part, WEEKDAYS));
    return ({ weekday }) => weekdays.has(weekday);
  });

/** The weekday next to `wanted` in the same month: Friday for a Saturday, Monday for a Sunday, if they are in it. */
function nearestWeekday(wanted: number, { day, weekday, daysInMonth }: CalendarDay): number {
  const wantedWeekday = modulo(weekday - 1 + wanted - day, 7) + 1;
  if (wantedWeekday === 7) return wanted > 1 ? wanted - 1 : wanted + 2;
  if (wantedWeekday === 1) return wanted < daysInMonth ? wanted + 1 : wanted - 2;
  return wanted;
}

const modulo = (value: number, by: number): number => ((value % by) + by) % by;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The first full minute after `afterMs` that the fields name, in UTC; none when all their years are over. */
export function nextCron(fields: CronFields, afterMs: number): number | undefined {
  const earliestMs = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  const lastYear = Math.max(...fields.years);
  for (let dayMs = Math.floor(earliestMs / DAY_MS) * DAY_MS; ; dayMs += DAY_MS) {
    const date = calendarDay(dayMs);
    if (date.year > lastYear) return undefined;
    if (!fields.years.has(date.year) || !fields.months.has(date.month)) continue;
    if (!fields.matchesDay(date)) continue;
    const atMs = firstTime(fields, dayMs, earliestMs);
    if (atMs !== undefined) return atMs;
  }
}

function firstTime({ hours, minutes }: CronFields, dayMs: number, earliestMs: number) {
  for (const hour of hours) {
    for (const minute of minutes) {
      const atMs = dayMs + (hour * 60 + minute) * MINUTE_MS;
      if (atMs >= earliestMs) return atMs;
    }
  }
  return undefined;
}

function calendarDay(dayMs: number): CalendarDay {
  const date = new Date(dayMs);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
  return {
    year,
    month,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() + 1,
    daysInMonth: new Date(Date.UTC(year, month, 0)).getUTCDate(),
  };
}
