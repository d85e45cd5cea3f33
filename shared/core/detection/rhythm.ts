import { AS_EXPECTED, DIGITS_MAX, digitOf, distanceOf, nextStep } from './rhythm-hour.ts';
import { f16, f24, f32 } from './roundings.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const DAY_HOURS = 24;
export const WEEK_HOURS = 168;
export const HISTORY_DAYS = 14;
const READINGS_MAX = 65_535;

/** Share of a new mean in the profile of its hour. */
const DAY_GAIN = 0.3;
const WEEK_GAIN = 0.4;
/** Of an hour with an anomaly in it, half as much is learned: it takes days to become the rhythm. */
const TAINTED_SHARE = 0.5;
/** Hours by which a metric's clock may go back without its rhythm taking them for new ones. */
const BACK_HOURS = 48;

/**
 * What a metric does at which hour (UTC) of the day and of the week, and its mean of each of the last days. It changes
 * only when an hour is over, and by no more than a digit tells, once it knows all hours of the day. Numbers are offsets
 * from `anchor`, whole multiples of `unit` that lie within 254 of each other; NaN where nothing is known.
 */
export interface Rhythm {
  readonly anchor: number;
  /** A power of two. */
  readonly unit: number;
  /** No number is less. */
  readonly low: number;
  /** The last hour in it. */
  readonly hour: number;
  /** Readings taken when the profile of the day, and of the week, was first whole enough to compare with; 0 before. */
  readonly dayFrom: number;
  readonly weekFrom: number;
  readonly day: readonly number[];
  readonly week: readonly number[];
  /** Means of days, by the number of the day modulo 14. */
  readonly days: readonly number[];
  /** Sum of the hourly means of the day under way, and how many. */
  readonly daySum: number;
  readonly dayCount: number;
  /** How far an hour's mean usually is from what was expected. */
  readonly step: number;
  /** How much nearer to the means the profile of the week lately was than that of the day. */
  readonly lead: number;
}

const nothing = (count: number): number[] => new Array<number>(count).fill(Number.NaN);

/** Codes of a byte that are values; one more means that nothing is known. */
export const CODES_MAX = 254;
/** Left free for what rounding adds. */
const CODES_USED = CODES_MAX - 2;
/** Bits of the largest offset that are kept, where values hardly differ. */
const OFFSET_BITS = 22;
export const UNIT_EXPONENT_MIN = -127;

export const emptyRhythm = (base: number): Rhythm => ({
  anchor: f32(base),
  unit: 2 ** UNIT_EXPONENT_MIN,
  low: 0,
  hour: 0,
  dayFrom: 0,
  weekFrom: 0,
  day: nothing(DAY_HOURS),
  week: nothing(WEEK_HOURS),
  days: nothing(HISTORY_DAYS),
  daySum: 0,
  dayCount: 0,
  step: 0,
  lead: 0,
});

export const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS);

export const dayOf = (hour: number): number => Math.floor(hour / DAY_HOURS);

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
  /** An anomaly fell into it: its mean says little of the rhythm where the hour is known already. */
  readonly tainted: boolean;
}

/** What an hour taught. */
export interface Lesson {
  readonly rhythm: Rhythm;
  /** Hours without readings since the one before. */
  readonly skipped: number;
  /** Tells all of it, to `recall`; none where it does not. */
  readonly digit: number | undefined;
}

/** The rhythm with one more hour in it; nothing where it had that hour before. */
export function closeHour(
  before: Rhythm,
  { hour, mean, readings, tainted }: Hour,
): Lesson | undefined {
  const skipped = hour - before.hour - 1;
  if (skipped < 0 && skipped >= -BACK_HOURS) return undefined;
  const expected = expectedOffset(before, hour);
  const offset = f32(mean - before.anchor);
  if (Number.isNaN(expected) || skipped < 0) {
    const step = firstStep(before, hour, offset);
    const rhythm = measured(learned(before, hour, offset), step, before.lead);
    return { rhythm: compared(before, rhythm, hour, readings), skipped, digit: undefined };
  }
  const filled = skipped > DIGITS_MAX ? before : asExpected(before, hour, skipped);
  const far = (offset - expected) * (tainted ? TAINTED_SHARE : 1);
  const digit = Math.abs(far) <= filled.unit ? AS_EXPECTED : digitOf(far, filled.step);
  const recalled = recall(filled, hour, digit);
  const rhythm = compared(filled, recalled, hour, readings);
  return { rhythm, skipped, digit: rhythm === recalled ? digit : undefined };
}

/** Hours without readings, if they are few, are taken to have been what was expected. */
function asExpected(before: Rhythm, until: number, hours: number): Rhythm {
  let rhythm = before;
  for (let hour = until - hours; hour < until; hour += 1) {
    rhythm = recall(rhythm, hour, AS_EXPECTED);
  }
  return rhythm;
}

/** Learns an hour by its digit: what `closeHour` did, once more. */
export function recall(before: Rhythm, hour: number, digit: number): Rhythm {
  const offset = expectedOffset(before, hour) + distanceOf(digit, before.step);
  if (Number.isNaN(offset)) return before;
  const rhythm = learned(before, hour, f32(offset));
  const step = Math.max(rhythm.unit, nextStep(digit, before.step));
  return measured(rhythm, step, nextLead(before, hour, offset));
}

const measured = (rhythm: Rhythm, step: number, lead: number): Rhythm => ({
  ...rhythm,
  step: f16(step / rhythm.unit) * rhythm.unit,
  lead: f16(lead / rhythm.unit) * rhythm.unit,
});

const LEAD_GAIN = 0.1;

function nextLead({ day, week, lead }: Rhythm, hour: number, offset: number): number {
  const fromDay = Math.abs(offset - (day[modulo(hour, DAY_HOURS)] ?? Number.NaN));
  const fromWeek = Math.abs(offset - (week[modulo(hour, WEEK_HOURS)] ?? Number.NaN));
  const further = fromDay - fromWeek;
  return Number.isNaN(further) ? lead : lead + LEAD_GAIN * (further - lead);
}

const FIRST_STEP_GAIN = 0.25;

/** While hours are new: how much their means differ from one to the next. */
function firstStep(before: Rhythm, hour: number, offset: number): number {
  const last = before.day[modulo(hour - 1, DAY_HOURS)] ?? Number.NaN;
  if (Number.isNaN(last)) return before.step;
  const difference = Math.abs(offset - last);
  return before.step === 0
    ? difference
    : before.step + FIRST_STEP_GAIN * (difference - before.step);
}

/** By the hour of the week while that is the better profile, or else of the day: which is known again soon after a shift. */
function expectedOffset({ week, day, lead }: Rhythm, hour: number): number {
  const ofDay = day[modulo(hour, DAY_HOURS)] ?? Number.NaN;
  const ofWeek = week[modulo(hour, WEEK_HOURS)] ?? Number.NaN;
  return Number.isNaN(ofWeek) || (lead < 0 && !Number.isNaN(ofDay)) ? ofDay : ofWeek;
}

/** Notes since when the profiles can be compared with: when an hour of theirs comes again. */
function compared(before: Rhythm, rhythm: Rhythm, hour: number, readings: number): Rhythm {
  const { dayFrom, weekFrom } = before;
  const knewDay = !Number.isNaN(before.day[modulo(hour, DAY_HOURS)] ?? Number.NaN);
  const knewWeek = !Number.isNaN(before.week[modulo(hour, WEEK_HOURS)] ?? Number.NaN);
  if ((dayFrom > 0 || !knewDay) && (weekFrom > 0 || !knewWeek)) return rhythm;
  const now = Math.min(readings, READINGS_MAX);
  return {
    ...rhythm,
    dayFrom: dayFrom > 0 || !knewDay ? dayFrom : now,
    weekFrom: weekFrom > 0 || !knewWeek ? weekFrom : now,
  };
}

function learned(before: Rhythm, hour: number, offset: number): Rhythm {
  const { daySum, dayCount } = before;
  const goesOn = dayCount > 0 && dayOf(before.hour) === dayOf(hour);
  const ofDay = modulo(hour, DAY_HOURS);
  const ofWeek = modulo(hour, WEEK_HOURS);
  const next = {
    day: towards(before.day[ofDay] ?? Number.NaN, offset, DAY_GAIN),
    week: towards(before.week[ofWeek] ?? Number.NaN, offset, WEEK_GAIN),
    dayMean: goesOn || dayCount === 0 ? Number.NaN : daySum / dayCount,
  };
  const days = goesOn ? before.days : withoutSkipped(before, hour);
  const rhythm = withRoomFor({ ...before, days }, [next.day, next.week, next.dayMean], !goesOn);
  const { unit } = rhythm;
  const put = (list: readonly number[], at: number, value: number): readonly number[] => {
    const copy = list.slice();
    const chance = Number.isNaN(copy[at] ?? Number.NaN) ? 0.5 : chanceOf(hour);
    copy[at] = Math.floor(value / unit + chance) * unit + 0; // no negative zero, which bytes do not keep
    return copy;
  };
  return {
    ...rhythm,
    hour,
    day: put(rhythm.day, ofDay, next.day),
    week: put(rhythm.week, ofWeek, next.week),
    days: Number.isNaN(next.dayMean)
      ? rhythm.days
      : put(rhythm.days, modulo(dayOf(before.hour), HISTORY_DAYS), next.dayMean),
    daySum: f24(goesOn ? daySum + offset : offset),
    dayCount: goesOn ? dayCount + 1 : 1,
  };
}

const towards = (known: number, value: number, gain: number): number =>
  Number.isNaN(known) ? value : known + gain * (value - known);

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Where between two codes a value is rounded up, spread evenly over hours: what is less than a code is not lost. */
const chanceOf = (hour: number): number => modulo(hour * GOLDEN, 1);

/** Days without a reading are not known. */
function withoutSkipped({ days, hour: last, dayCount }: Rhythm, hour: number): readonly number[] {
  const skipped = dayCount === 0 ? 0 : Math.min(dayOf(hour) - dayOf(last) - 1, HISTORY_DAYS);
  if (skipped <= 0) return days;
  const next = days.slice();
  for (let day = 1; day <= skipped; day += 1) {
    next[modulo(dayOf(last) + day, HISTORY_DAYS)] = Number.NaN;
  }
  return next;
}

/** The rhythm in the finest unit in which all its numbers and these fit a byte; a finer one than now only if asked. */
function withRoomFor(rhythm: Rhythm, values: readonly number[], finer: boolean): Rhythm {
  const high = rhythm.low + CODES_USED * rhythm.unit;
  if (!finer && !values.some((value) => value < rhythm.low || value > high)) return rhythm;
  const [least, most] = endsOf([rhythm.day, rhythm.week, rhythm.days, values]);
  const unit = Math.max(unitFor(least, most), finer ? 0 : rhythm.unit);
  const round = (value: number) => Math.round(value / unit) * unit + 0;
  const low = Math.floor(least / unit) * unit + 0;
  if (unit === rhythm.unit) return { ...rhythm, low };
  return {
    ...rhythm,
    unit,
    low,
    day: rhythm.day.map(round),
    week: rhythm.week.map(round),
    days: rhythm.days.map(round),
  };
}

function endsOf(lists: readonly (readonly number[])[]): readonly [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const list of lists) {
    for (const value of list) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return [least, most];
}

function unitFor(low: number, high: number): number {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const exponent = Math.max(
    high > low ? Math.ceil(Math.log2((high - low) / CODES_USED)) : UNIT_EXPONENT_MIN,
    size > 0 ? Math.ceil(Math.log2(size)) - OFFSET_BITS : UNIT_EXPONENT_MIN,
    UNIT_EXPONENT_MIN,
  );
  return 2 ** exponent;
}

/** Means of the days that are over, oldest first; days without readings are left out. */
export function dailyMeans(rhythm: Rhythm): readonly { day: number; mean: number }[] {
  const means: { day: number; mean: number }[] = [];
  for (let ago = HISTORY_DAYS; ago >= 1; ago -= 1) {
    const day = dayOf(rhythm.hour) - ago;
    const mean = rhythm.days[modulo(day, HISTORY_DAYS)] ?? Number.NaN;
    if (!Number.isNaN(mean)) means.push({ day, mean: rhythm.anchor + mean });
  }
  return means;
}

const modulo = (value: number, by: number): number => ((value % by) + by) % by;
