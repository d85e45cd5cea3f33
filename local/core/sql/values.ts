import type { Decimal } from 'decimal.js';

/**
 * A number that no JavaScript number holds exactly: an Int beyond 2^53 or a Decimal of up to 34
 * digits. Plain numbers stand for the decimal they print as, so both kinds mix freely.
 */
export class WideNumber {
  readonly #make: () => Decimal;
  #decimal: Decimal | undefined;
  #text: string | undefined;

  constructor(make: () => Decimal, text?: string) {
    this.#make = make;
    this.#text = text;
  }

  get decimal(): Decimal {
    this.#decimal ??= this.#make();
    return this.#decimal;
  }

  get isInt(): boolean {
    return this.#text?.includes('.') === true ? false : this.decimal.isInteger();
  }

  /** Standard notation for Ints of up to 34 digits, else scientific without `+` so that it converts back. */
  toString(): string {
    this.#text ??= this.decimal.toString().replace('e+', 'E').replace('e', 'E');
    return this.#text;
  }

  toJSON(): unknown {
    return rawJson.rawJSON(this.toString());
  }
}

/** Not yet in TypeScript's library: JSON.rawJSON, which writes digits that no number holds. */
const rawJson = JSON as JSON & { rawJSON(text: string): unknown };

export type SqlNumber = number | WideNumber;
export type SqlArray = readonly SqlValue[];
export interface SqlObject {
  readonly [key: string]: SqlValue;
}

/**
 * A value of IoT SQL. There is one kind of number: a whole number is an Int, any other a Decimal,
 * since version 2016-03-23 turns whole Decimals into Ints.
 */
export type SqlValue = undefined | null | boolean | SqlNumber | string | SqlArray | SqlObject;

export type TypeName =
  | 'Undefined'
  | 'Null'
  | 'Boolean'
  | 'Int'
  | 'Decimal'
  | 'String'
  | 'Array'
  | 'Object';

export const isArray = (value: SqlValue): value is SqlArray => Array.isArray(value);

export const isNumber = (value: SqlValue): value is SqlNumber =>
  typeof value === 'number' || value instanceof WideNumber;

export const isObject = (value: SqlValue): value is SqlObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof WideNumber);

export const isInt = (value: SqlNumber): boolean =>
  typeof value === 'number' ? Number.isInteger(value) : value.isInt;

/** The guide's name for a value's type. */
export function typeName(value: SqlValue): TypeName {
  if (value === undefined) return 'Undefined';
  if (value === null) return 'Null';
  if (typeof value === 'boolean') return 'Boolean';
  if (typeof value === 'string') return 'String';
  if (isNumber(value)) return isInt(value) ? 'Int' : 'Decimal';
  return isArray(value) ? 'Array' : 'Object';
}

/** A field of an object; Undefined where it has none, and for anything that is no object. */
export function fieldOf(value: SqlValue, key: string): SqlValue {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** An object under construction; `setField` keeps `__proto__` an ordinary key. */
export type Draft = Record<string, SqlValue>;

export function setField(draft: Draft, key: string, value: SqlValue): void {
  if (key === '__proto__') {
    Object.defineProperty(draft, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  } else draft[key] = value;
}

/**
 * JSON text of a value: Undefined fields are dropped, Undefined itself is the empty string. A value
 * can name one part of the payload so often that no text can hold it: that has none.
 */
export function jsonText(value: SqlValue): string | undefined {
  if (value === undefined) return '';
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
