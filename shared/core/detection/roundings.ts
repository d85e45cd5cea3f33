/*
 * Numbers as the bytes of a track hold them. By arithmetic, as this runs for each number of each reading and
 * `Math.f16round` is a call.
 */

const F16_MAX = 65_504;
const F16_NORMAL = 2 ** -14;
/** Numbers from here to its double lie 2^-24 apart, as do the smallest of binary16. */
const F16_STEPS = 2 ** 28;
/** Splits a binary64 after 11 bits of its significand (T. J. Dekker, A floating-point technique, 1971). */
const F16_SPLIT = 2 ** 42 + 1;

/** Rounded to binary16 [IEEE 754-2019, 3.6], the largest for what exceeds it. */
export function f16(value: number): number {
  if (value > F16_MAX) return F16_MAX;
  if (value < -F16_MAX) return -F16_MAX;
  if (value < F16_NORMAL && value > -F16_NORMAL) {
    return value < 0 ? F16_STEPS - (F16_STEPS - value) : value + F16_STEPS - F16_STEPS;
  }
  const high = F16_SPLIT * value;
  return high - (high - value);
}

const F24_SPLIT = 2 ** 37 + 1;
const F24_MAX = (2 - 2 ** -15) * 2 ** 127;
const F24_MIN = 2 ** -126;

/** Rounded to the upper three bytes of a binary32: 16 bits of significand; what is smaller than normal is 0. */
export function f24(value: number): number {
  if (value > F24_MAX) return F24_MAX;
  if (value < -F24_MAX) return -F24_MAX;
  if (value < F24_MIN && value > -F24_MIN) return 0;
  const high = F24_SPLIT * value;
  return high - (high - value);
}

const F32_MAX = 3.4028234663852886e38;

/** Rounded to binary32, the largest for what exceeds it. */
export function f32(value: number): number {
  if (value > F32_MAX) return F32_MAX;
  if (value < -F32_MAX) return -F32_MAX;
  return Math.fround(value);
}
