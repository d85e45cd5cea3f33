import { FrameFault } from '../fault.ts';

const INTEGER = /^-?\d+$/;

/**
 * JSON as stations write it: their clocks are integers of 64 bits, which stay whole as bigint where a number
 * would round them.
 *
 * @throws {FrameFault} when it is no JSON
 */
export function parseStationJson(text: string): unknown {
  try {
    return JSON.parse(text, keepWhole);
  } catch (error) {
    throw new FrameFault(`not JSON: ${String(error)}`, { cause: error });
  }
}

function keepWhole(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return INTEGER.test(source) ? BigInt(source) : value;
}

type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** The inverse: a bigint is written as the integer it is. */
export function stationJson(value: Json): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(stationJson).join(',')}]`;
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}:${stationJson(member)}`,
  );
  return `{${members.join(',')}}`;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
