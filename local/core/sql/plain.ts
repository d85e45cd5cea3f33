import { fromDouble, parseNumber } from './numbers.ts';
import { type Draft, type SqlValue, setField, WideNumber } from './values.ts';

/** What a service answered, as a value: JSON as it is, bigint as Int, anything else Undefined. */
export function fromPlain(plain: unknown): SqlValue {
  if (plain === null || typeof plain === 'string' || typeof plain === 'boolean') return plain;
  if (typeof plain === 'number') return fromDouble(plain);
  if (typeof plain === 'bigint') return parseNumber(plain.toString());
  if (plain instanceof WideNumber) return plain;
  if (Array.isArray(plain)) return plain.map((item: unknown) => fromPlain(item) ?? null);
  return typeof plain === 'object' ? objectFromPlain(plain) : undefined;
}

function objectFromPlain(plain: object): SqlValue {
  const draft: Draft = {};
  for (const [key, value] of Object.entries(plain)) setField(draft, key, fromPlain(value));
  return draft;
}
