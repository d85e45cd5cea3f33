/*
 * What an hour taught a rhythm, as a digit of 0 to 4: so the hours of most of a day wait in six bytes beside the track,
 * and the rhythm itself need not be written each time. The distance of the hour's mean to what was expected is
 * quantised to two bits with a step that follows it: N. S. Jayant, "Adaptive quantization with a one-word memory",
 * Bell System Technical Journal 52 (1973).
 */

/** As near to what was expected as the profiles can tell; so are hours without readings taken. */
export const AS_EXPECTED = 0;
const FIRST_LEVEL = 1;
/** Levels in steps, of digit 1 to 4. */
const LEVELS = [-1.5, -0.5, 0.5, 1.5] as const;
/** A Gaussian with a deviation of one step falls into the inner levels in 68 % of hours: 0.85^0.68 × 1.42^0.32 = 1. */
const SHRINK = 0.85;
const GROW = 1.42;

export const digitOf = (distance: number, step: number): number =>
  FIRST_LEVEL + (distance < 0 ? (distance <= -step ? 0 : 1) : distance < step ? 2 : 3);

/** The distance that a digit stands for. */
export const distanceOf = (digit: number, step: number): number =>
  (LEVELS[digit - FIRST_LEVEL] ?? 0) * step;

export const nextStep = (digit: number, step: number): number =>
  digit === AS_EXPECTED
    ? step
    : step * (Math.abs(LEVELS[digit - FIRST_LEVEL] ?? 0) > 1 ? GROW : SHRINK);

const BASE = 5;
export const DIGITS_MAX = 20;
const FULL = BASE ** DIGITS_MAX;

/** Digits are kept as one number to the base of 5, below 2^48, with a 1 before them. */
export const NOTHING_PENDING = 1;
/** There is more than digits can tell: the whole rhythm has to be written. */
export const WHOLE_PENDING = 0;

/**
 * Takes in one more hour.
 *
 * @param skipped  hours without a reading before it
 * @param digit    none when no digit can tell what was learned
 */
export function withHour(pending: number, skipped: number, digit: number | undefined): number {
  if (digit === undefined || skipped > DIGITS_MAX) return WHOLE_PENDING;
  let next = pending;
  for (let hour = 0; hour < skipped; hour += 1) next = pushed(next, AS_EXPECTED);
  return pushed(next, digit);
}

const pushed = (pending: number, digit: number): number =>
  pending === WHOLE_PENDING || pending >= FULL ? WHOLE_PENDING : pending * BASE + digit;

/** The digits that wait, oldest first. */
export function pendingDigits(pending: number): readonly number[] {
  const digits: number[] = [];
  for (let rest = pending; rest > 1; rest = Math.floor(rest / BASE)) digits.push(rest % BASE);
  return digits.reverse();
}

/** Whether a number can be one of these: for what is read from storage. */
export function isPending(value: number): boolean {
  let rest = value;
  while (rest > 1) rest = Math.floor(rest / BASE);
  return value === WHOLE_PENDING || (rest === 1 && value < 2 * FULL);
}
