/**
 * Exact decimal arithmetic. The guide's Decimal has 34 digits and 1E-999 to 9.99…E999, so 0.1 + 0.2
 * is 0.3. Most numbers of a payload are short, and for these scaled integers inside a double give
 * the exact answer without a big-decimal library; the rest falls back to one.
 */
import { Decimal } from 'decimal.js';
import { isInt, type SqlNumber, WideNumber } from './values.ts';

const Exact = Decimal.clone({
  precision: 34,
  rounding: Decimal.ROUND_HALF_EVEN,
  modulo: Decimal.ROUND_DOWN,
  minE: -999,
  maxE: 999,
  toExpNeg: -7,
  toExpPos: 34,
});

/** Below this, every decimal numeral of that many digits has a double of its own. */
const SHORT = 1e15;
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const MOST_PLACES = 11;
const power = (places: number): number => POWERS[places] ?? 1;

/** Decimal places of a short number, -1 of one that is not short. */
function placesOf(value: number): number {
  for (let places = 0; places <= MOST_PLACES; places++) {
    const scaled = Math.round(value * power(places));
    if (Math.abs(scaled) >= SHORT) return -1;
    if (scaled / power(places) === value) return places;
  }
  return -1;
}

const scale = (value: number, places: number): number => Math.round(value * power(places));

/** `scaled / 10^places`, unless that is not short. */
const unscale = (scaled: number, places: number): number | undefined =>
  Math.abs(scaled) < SHORT ? scaled / power(places) + 0 : undefined;

const decimalOf = (value: SqlNumber): Decimal =>
  value instanceof WideNumber ? value.decimal : new Exact(value);

/** A decimal as a value: a plain number where that prints as the same decimal; Undefined out of range. */
function fromDecimal(decimal: Decimal): SqlNumber | undefined {
  if (!decimal.isFinite()) return undefined;
  const value = decimal.toNumber();
  if (Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))) {
    if (new Exact(value).eq(decimal)) return value + 0;
  }
  return new WideNumber(() => decimal);
}

/** The result of a function of double precision; NaN and the infinities have no place in SQL. */
export function fromDouble(value: number): SqlNumber | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value + 0;
  return fromDecimal(new Exact(value));
}

/** Reads a numeral as JSON or SQL writes it, rounded to 34 digits; Undefined if out of range. */
export function parseNumber(text: string): SqlNumber | undefined {
  if (text.length <= 15 && !/e/i.test(text)) return Number(text) + 0;
  return fromDecimal(new Exact(text).plus(0));
}

export const toDouble = (value: SqlNumber): number =>
  typeof value === 'number' ? value : value.decimal.toNumber();

export const toBigInt = (value: SqlNumber): bigint =>
  typeof value === 'number' ? BigInt(Math.floor(value)) : BigInt(value.decimal.floor().toFixed());

export const fromBigInt = (value: bigint): SqlNumber | undefined => parseNumber(value.toString());

export function add(left: SqlNumber, right: SqlNumber): SqlNumber | undefined {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right;
    if (Number.isSafeInteger(left) && Number.isSafeInteger(right) && Number.isSafeInteger(sum)) {
      return sum;
    }
    const exact = aligned(left, right, (a, b) => a + b);
    if (exact !== undefined) return exact;
  }
  return fromDecimal(decimalOf(left).plus(decimalOf(right)));
}

export const negate = (value: SqlNumber): SqlNumber =>
  typeof value === 'number' ? 0 - value : new WideNumber(() => value.decimal.neg());

export const subtract = (left: SqlNumber, right: SqlNumber): SqlNumber | undefined =>
  add(left, negate(right));

/** Applies an operation on integers to two short numbers brought to the same scale. */
function aligned(
  left: number,
  right: number,
  operation: (a: number, b: number) => number,
): number | undefined {
  const leftPlaces = placesOf(left);
  const rightPlaces = placesOf(right);
  if (leftPlaces < 0 || rightPlaces < 0) return undefined;
  const places = Math.max(leftPlaces, rightPlaces);
  const a = scale(left, leftPlaces) * power(places - leftPlaces);
  const b = scale(right, rightPlaces) * power(places - rightPlaces);
  if (Math.abs(a) >= SHORT || Math.abs(b) >= SHORT) return undefined;
  return unscale(operation(a, b), places);
}

export function multiply(left: SqlNumber, right: SqlNumber): SqlNumber | undefined {
  if (typeof left === 'number' && typeof right === 'number') {
    const leftPlaces = placesOf(left);
    const rightPlaces = placesOf(right);
    if (leftPlaces >= 0 && rightPlaces >= 0) {
      const product = scale(left, leftPlaces) * scale(right, rightPlaces);
      const exact = unscale(product, leftPlaces + rightPlaces);
      if (exact !== undefined) return exact;
    }
  }
  return fromDecimal(decimalOf(left).times(decimalOf(right)));
}

/** The quotient to 34 digits; Undefined for a divisor of zero. */
export function divide(left: SqlNumber, right: SqlNumber): SqlNumber | undefined {
  if (isZero(right)) return undefined;
  if (typeof left === 'number' && typeof right === 'number') {
    const quotient = left / right;
    if (placesOf(quotient) >= 0 && multiply(quotient, right) === left) return quotient + 0;
    const exact = divideShort(left, right);
    if (exact !== undefined) return exact;
  }
  return fromDecimal(decimalOf(left).div(decimalOf(right)));
}

const DIGITS = 34;

/** Long division of two short numbers whose quotient needs no exponent: what rules mostly divide. */
function divideShort(left: number, right: number): SqlNumber | undefined {
  const leftPlaces = placesOf(left);
  const rightPlaces = placesOf(right);
  const size = Math.abs(left / right);
  if (leftPlaces < 0 || rightPlaces < 0 || size < 1e-5 || size >= SHORT) return undefined;
  // the quotient is between 10^(whole - 1) and 10^whole, give or take one place
  const whole = Math.ceil(Math.log10(size));
  const places = DIGITS - whole;
  const numerator = BigInt(scale(Math.abs(left), leftPlaces)) * 10n ** BigInt(places + rightPlaces);
  const divisor = BigInt(scale(Math.abs(right), rightPlaces)) * 10n ** BigInt(leftPlaces);
  const digits = roundHalfEven(numerator, divisor)
    .toString()
    .padStart(places + 1, '0');
  if (digits.replace(/^0+/, '').length !== DIGITS) return undefined;
  const fraction = digits.slice(-places).replace(/0+$/, '');
  const sign = left < 0 === right < 0 ? '' : '-';
  const text = `${sign}${digits.slice(0, -places)}.${fraction}`;
  const plain = Number(text);
  return String(plain) === text ? plain : new WideNumber(() => new Exact(text), text);
}

function roundHalfEven(numerator: bigint, divisor: bigint): bigint {
  const quotient = numerator / divisor;
  const twice = 2n * (numerator % divisor);
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/** The quotient of two Ints without its fraction. */
export function divideInts(left: SqlNumber, right: SqlNumber): SqlNumber | undefined {
  if (isZero(right)) return undefined;
  if (typeof left === 'number' && typeof right === 'number') {
    return (left - (left % right)) / right + 0;
  }
  return fromDecimal(decimalOf(left).divToInt(decimalOf(right)));
}

/** The remainder, with the sign of the dividend; Undefined for a divisor of zero. */
export function remainder(left: SqlNumber, right: SqlNumber): SqlNumber | undefined {
  if (isZero(right)) return undefined;
  if (typeof left === 'number' && typeof right === 'number') {
    const exact = aligned(left, right, (a, b) => a % b);
    if (exact !== undefined) return exact;
  }
  const [dividend, divisor] = [decimalOf(left), decimalOf(right)];
  // beyond this distance the quotient alone has more digits than a Decimal, and the work explodes
  if (dividend.e - divisor.e > 100) return undefined;
  return fromDecimal(dividend.mod(divisor).plus(0));
}

/** Negative, zero or positive, as `left` is less than, equal to or greater than `right`. */
export function compare(left: SqlNumber, right: SqlNumber): number {
  if (typeof left === 'number' && typeof right === 'number') {
    return left < right ? -1 : Number(left > right);
  }
  return decimalOf(left).comparedTo(decimalOf(right));
}

export const isZero = (value: SqlNumber): boolean =>
  typeof value === 'number' ? value === 0 : value.decimal.isZero();

const rounding =
  (short: (value: number) => number, mode: Decimal.Rounding) =>
  (value: SqlNumber): SqlNumber | undefined => {
    if (isInt(value)) return value;
    if (typeof value === 'number' && Math.abs(value) < SHORT) return short(value) + 0;
    return fromDecimal(decimalOf(value).toDecimalPlaces(0, mode));
  };

export const floor = rounding(Math.floor, Decimal.ROUND_FLOOR);
export const ceil = rounding(Math.ceil, Decimal.ROUND_CEIL);
/** To the nearest Int, halves away from zero. */
export const round = rounding(
  (value) => (value < 0 ? -Math.round(-value) : Math.round(value)),
  Decimal.ROUND_HALF_UP,
);
/** Cuts off what lies beyond so many decimal places. */
export const truncate = (value: SqlNumber, places: number): SqlNumber | undefined =>
  isInt(value) ? value : fromDecimal(decimalOf(value).toDecimalPlaces(places, Decimal.ROUND_DOWN));
