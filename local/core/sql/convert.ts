/** The guide's standard conversions (iot-sql-data-types); Undefined where a table has no row. */
import { boundedText } from './limits.ts';
import { floor, parseNumber, toDouble } from './numbers.ts';
import { isNumber, jsonText, type SqlNumber, type SqlValue } from './values.ts';

/** Numerals a String may hold to count as a number: no `+`, no bare `.5`, no `E+3`. */
const NUMERAL = /^-?\d+(?:\.\d+)?(?:e-?\d+)?$/i;

/** Numbers and numeric Strings. Null is Undefined here: the functions' own tables say so. */
export function toNumber(value: SqlValue): SqlNumber | undefined {
  if (isNumber(value)) return value;
  return typeof value === 'string' && NUMERAL.test(value) ? parseNumber(value) : undefined;
}

/** A number rounded down, as the functions take positions and counts; ±Infinity if vast. */
export function toIndex(value: SqlValue): number | undefined {
  const number = toNumber(value);
  const whole = number === undefined ? undefined : floor(number);
  return whole === undefined ? undefined : toDouble(whole);
}

/** Booleans, and the Strings true and false in any case. */
export function toBoolean(value: SqlValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' || value.length > 5) return undefined;
  const text = value.toLowerCase();
  if (text === 'true') return true;
  return text === 'false' ? false : undefined;
}

/** Everything but Null and Undefined; Arrays and Objects as JSON of at most a megabyte. */
export function toText(value: SqlValue): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'object' || isNumber(value)) return String(value);
  const text = jsonText(value);
  return text === undefined ? undefined : boundedText(text);
}
