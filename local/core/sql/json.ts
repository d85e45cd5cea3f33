import { parseNumber } from './numbers.ts';
import type { SqlValue } from './values.ts';

/** Arrays and objects inside one another; deeper text is not taken for JSON. The guide names no limit. */
const DEEPEST_JSON = 500;

/** Numerals that a double may not hold exactly: 16 digits or more, or an exponent of two digits. */
const NEEDS_CARE = /\d[\d.]{15}|\d[eE][+-]?\d{2}/;

/** Parsed JSON, or a refusal: `undefined` is a value of its own, so the answer is wrapped. */
export type ParsedJson = { readonly ok: true; readonly value: SqlValue } | { readonly ok: false };

const NOT_JSON: ParsedJson = { ok: false };
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes as UTF-8 text; undefined where they are none. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * JSON text as a value. Of equal keys the last wins; integers beyond 2^53 and magnitudes beyond
 * 1e308 keep their 34 digits; a number beyond 9.99E999 is Undefined; a lone surrogate escape stays.
 */
export function parseJson(text: string): ParsedJson {
  if (isDeeperThan(text, DEEPEST_JSON)) return NOT_JSON;
  try {
    const value: SqlValue = NEEDS_CARE.test(text) ? JSON.parse(text, exactly) : JSON.parse(text);
    return { ok: true, value };
  } catch {
    return NOT_JSON;
  }
}

function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined
    ? parseNumber(context.source)
    : value;
}

function isDeeperThan(text: string, limit: number): boolean {
  if (text.length < 2 * limit) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (++depth > limit) return true;
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth--;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) {
    at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return at;
}
