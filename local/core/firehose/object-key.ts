/** Names of the objects that Firehose writes. */

/** What a prefix is evaluated with. */
export interface KeyMoment {
  /** Arrival of the object's first record, milliseconds since the Unix epoch. */
  readonly firstRecordMs: number;
  /** For `!{firehose:random-string}`: 11 characters. */
  readonly random: string;
}

export type CompiledPrefix = (moment: KeyMoment) => string;

/** A prefix that Firehose would not take, or that the laptop does not evaluate. */
class PrefixError extends Error {
  override readonly name = 'PrefixError';
}

const EXPRESSION = /!\{([^}]*)\}/g;
const DEFAULT_TIME = '!{timestamp:yyyy/MM/dd/HH/}';

/**
 * Compiles an S3 prefix. Without a `timestamp` expression, `YYYY/MM/DD/HH/` follows it, as Firehose has it; times
 * are UTC.
 *
 * @throws {PrefixError} naming the expression that cannot be evaluated
 * @see Amazon Data Firehose Developer Guide, Custom prefixes for Amazon S3 objects
 */
export function compilePrefix(prefix = ''): CompiledPrefix {
  const whole = prefix.includes('!{timestamp:') ? prefix : prefix + DEFAULT_TIME;
  const parts: CompiledPrefix[] = [];
  let at = 0;
  for (const { 0: text, 1: inside = '', index } of whole.matchAll(EXPRESSION)) {
    const literal = whole.slice(at, index);
    parts.push(() => literal, compileExpression(inside));
    at = index + text.length;
  }
  const rest = whole.slice(at);
  if (rest.includes('!{')) throw new PrefixError(`${prefix}: an expression is not closed`);
  return (moment) => parts.map((part) => part(moment)).join('') + rest;
}

function compileExpression(inside: string): CompiledPrefix {
  if (inside === 'firehose:random-string') return ({ random }) => random;
  const [namespace, pattern = ''] = inside.split(/:(.*)/s);
  if (namespace === 'timestamp') return compileTime(pattern);
  throw new PrefixError(
    `!{${inside}}: the laptop evaluates !{timestamp:…} and !{firehose:random-string} in a prefix`,
  );
}

const TIME_FIELDS: Readonly<Record<string, (date: Date) => number>> = {
  yyyy: (date) => date.getUTCFullYear(),
  MM: (date) => date.getUTCMonth() + 1,
  dd: (date) => date.getUTCDate(),
  HH: (date) => date.getUTCHours(),
  mm: (date) => date.getUTCMinutes(),
  ss: (date) => date.getUTCSeconds(),
};

/** Runs of a letter, text in quotes, or anything else. */
const TIME_PART = /([A-Za-z])\1*|'((?:[^']|'')*)'|[^A-Za-z']+/g;

function compileTime(pattern: string): CompiledPrefix {
  const parts = [...pattern.matchAll(TIME_PART)].map(([text, letter, quoted]) => {
    if (letter === undefined) {
      const literal = quoted === undefined ? text : quoted.replaceAll("''", "'");
      return () => literal;
    }
    const field = TIME_FIELDS[text];
    if (field === undefined) {
      const known = Object.keys(TIME_FIELDS).join(' ');
      throw new PrefixError(`!{timestamp:${pattern}}: the laptop writes ${known}, not ${text}`);
    }
    return (date: Date) => String(field(date)).padStart(text.length, '0');
  });
  return ({ firstRecordMs }) => {
    const date = new Date(firstRecordMs);
    return parts.map((part) => part(date)).join('');
  };
}

/**
 * The last part of an object's key: stream, its version, time in UTC, and what makes it unique.
 *
 * @see Amazon Data Firehose Developer Guide, Amazon S3 object name format
 */
export function objectName(deliveryStream: string, firstRecordMs: number, unique: string): string {
  const time = new Date(firstRecordMs).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
  return `${deliveryStream}-1-${time}-${unique}`;
}
