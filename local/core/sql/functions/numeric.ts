import { toNumber } from '../convert.ts';
import {
  ceil,
  compare,
  floor,
  fromBigInt,
  fromDouble,
  negate,
  remainder,
  round,
  toBigInt,
  toDouble,
  truncate,
} from '../numbers.ts';
import { isNumber, type SqlNumber, type SqlValue } from '../values.ts';
import { context, type FunctionTable, type PlainFunction, plain } from './function.ts';

/** One number in; a Boolean, Array, Object, Null or Undefined is none. */
const unary = (operation: (value: SqlNumber) => SqlValue): PlainFunction =>
  plain(1, 1, (argument) => {
    const value = toNumber(argument);
    return value === undefined ? undefined : operation(value);
  });

const binary = (operation: (left: SqlNumber, right: SqlNumber) => SqlValue): PlainFunction =>
  plain(2, 2, (first, second) => {
    const left = toNumber(first);
    const right = toNumber(second);
    return left === undefined || right === undefined ? undefined : operation(left, right);
  });

/** Rounded to double precision first; an imaginary or infinite result is Undefined. */
const double = (operation: (value: number) => number): PlainFunction =>
  unary((value) => fromDouble(operation(toDouble(value))));

const doubles = (operation: (left: number, right: number) => number): PlainFunction =>
  binary((left, right) => fromDouble(operation(toDouble(left), toDouble(right))));

/** Decimals are rounded down before their bits are looked at. */
const bitwise = (
  short: (left: number, right: number) => number,
  long: (left: bigint, right: bigint) => bigint,
): PlainFunction =>
  binary((left, right) =>
    isInt32(left) && isInt32(right)
      ? short(left, right)
      : fromBigInt(long(toBigInt(left), toBigInt(right))),
  );

const isInt32 = (value: SqlNumber): value is number =>
  typeof value === 'number' && (value | 0) === value;

const modulo = binary(remainder);
const FEWEST_PLACES = 0;
const MOST_PLACES = 34;

/** The places must be a number: the table has no row for a String there. */
function trunc(first: SqlValue, second: SqlValue): SqlValue {
  const value = toNumber(first);
  const whole = isNumber(second) ? floor(second) : undefined;
  if (value === undefined || whole === undefined) return undefined;
  const places = Math.min(MOST_PLACES, Math.max(FEWEST_PLACES, toDouble(whole)));
  return truncate(value, places);
}

export const NUMERIC: FunctionTable = {
  abs: unary((value) => (compare(value, 0) < 0 ? negate(value) : value)),
  acos: double(Math.acos),
  asin: double(Math.asin),
  atan: double(Math.atan),
  atan2: doubles(Math.atan2),
  bitand: bitwise(
    (left, right) => left & right,
    (left, right) => left & right,
  ),
  // the guide prints bitnot(13) = 2, a complement of four bits; two's complement is what "bitwise NOT" means
  bitnot: unary((value) => fromBigInt(~toBigInt(value))),
  bitor: bitwise(
    (left, right) => left | right,
    (left, right) => left | right,
  ),
  bitxor: bitwise(
    (left, right) => left ^ right,
    (left, right) => left ^ right,
  ),
  ceil: unary(ceil),
  cos: double(Math.cos),
  cosh: double(Math.cosh),
  exp: double(Math.exp),
  floor: unary(floor),
  ln: double(Math.log),
  log: double(Math.log10),
  mod: modulo,
  nanvl: plain(2, 2, (value, other) => (value === undefined || value === null ? other : value)),
  power: doubles((base, exponent) => base ** exponent),
  rand: context(0, 0, ({ evaluation }) => evaluation.env.random()),
  remainder: modulo,
  // text and table disagree on halves; the examples round them away from zero
  round: unary(round),
  sign: unary((value) => Math.sign(compare(value, 0))),
  sin: double(Math.sin),
  sinh: double(Math.sinh),
  sqrt: double(Math.sqrt),
  tan: double(Math.tan),
  tanh: double(Math.tanh),
  trunc: plain(2, 2, trunc),
};
