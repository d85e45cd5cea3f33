/** The guide's operator tables (iot-sql-operators); an operand no row names gives Undefined. */
import type { BinaryOperator, UnaryOperator } from './ast.ts';
import { toBoolean, toNumber, toText } from './convert.ts';
import { boundedText } from './limits.ts';
import {
  add,
  compare,
  divide,
  divideInts,
  multiply,
  negate,
  remainder,
  subtract,
} from './numbers.ts';
import { isArray, isInt, isNumber, isObject, type SqlNumber, type SqlValue } from './values.ts';

export type BinaryFunction = (left: SqlValue, right: SqlValue) => SqlValue;

const logical =
  (operation: (left: boolean, right: boolean) => boolean): BinaryFunction =>
  (left, right) => {
    const a = toBoolean(left);
    const b = toBoolean(right);
    // both count: the table knows no short cut, so `false AND undefined` is Undefined
    return a === undefined || b === undefined ? undefined : operation(a, b);
  };

const ordered =
  (test: (order: number) => boolean): BinaryFunction =>
  (left, right) => {
    const a = toNumber(left);
    const b = toNumber(right);
    return a === undefined || b === undefined ? undefined : test(compare(a, b));
  };

const arithmetic =
  (operation: (left: SqlNumber, right: SqlNumber) => SqlValue): BinaryFunction =>
  (left, right) => {
    const a = toNumber(left);
    const b = toNumber(right);
    return a === undefined || b === undefined ? undefined : operation(a, b);
  };

/**
 * Equality without any conversion. `null = null` has no row for `=`; it is true here, as the `<>`
 * table says false. Arrays compare in order and `<>` negates that: its own row ("not equal and not
 * in the same order") cannot be meant as written.
 */
export function equal(left: SqlValue, right: SqlValue): boolean {
  if (left === right) return true;
  if (isNumber(left) && isNumber(right)) return compare(left, right) === 0;
  if (isArray(left) && isArray(right)) {
    return left.length === right.length && left.every((item, index) => equal(item, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]))
  );
}

const equality =
  (wanted: boolean): BinaryFunction =>
  (left, right) =>
    left === undefined || right === undefined ? undefined : equal(left, right) === wanted;

/** Joins as soon as one side is a String, `"1" + 2` included; numeric Strings are not added. */
function plus(left: SqlValue, right: SqlValue): SqlValue {
  if (isNumber(left) && isNumber(right)) return add(left, right);
  if (typeof left !== 'string' && typeof right !== 'string') return undefined;
  const a = toText(left);
  const b = toText(right);
  return a === undefined || b === undefined ? undefined : boundedText(a + b);
}

/**
 * Int by Int is an Int without the fraction, as the operator table has it, although the SET page
 * prints 23.89 for `(75 - 32) * 5 / 9`. A numeric String counts as a Decimal (`"7" / 2` is 3.5);
 * a whole Decimal such as 9.0 is an Int in this version.
 */
function slash(left: SqlValue, right: SqlValue): SqlValue {
  if (isNumber(left) && isNumber(right) && isInt(left) && isInt(right)) {
    return divideInts(left, right);
  }
  return divideAny(left, right);
}

const divideAny = arithmetic(divide);

export const BINARY: Readonly<Record<BinaryOperator, BinaryFunction>> = {
  AND: logical((left, right) => left && right),
  OR: logical((left, right) => left || right),
  '=': equality(true),
  '<>': equality(false),
  '<': ordered((order) => order < 0),
  '<=': ordered((order) => order <= 0),
  '>': ordered((order) => order > 0),
  '>=': ordered((order) => order >= 0),
  '+': plus,
  '-': arithmetic(subtract),
  '*': arithmetic(multiply),
  '/': slash,
  '%': arithmetic(remainder),
};

export const UNARY: Readonly<Record<UnaryOperator, (operand: SqlValue) => SqlValue>> = {
  NOT: (operand) => {
    const value = toBoolean(operand);
    return value === undefined ? undefined : !value;
  },
  '-': (operand) => {
    const value = toNumber(operand);
    return value === undefined ? undefined : negate(value);
  },
};
