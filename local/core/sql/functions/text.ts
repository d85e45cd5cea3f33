import type { Call } from '../ast.ts';
import { toIndex, toText } from '../convert.ts';
import { boundedText, LONGEST_TEXT } from '../limits.ts';
import { beyondRe2, regexOf } from '../regex.ts';
import type { Evaluate } from '../scope.ts';
import { isArray, type SqlValue } from '../values.ts';
import {
  type CompileTools,
  type FunctionTable,
  literalText,
  type PlainFunction,
  plain,
  type SpecialFunction,
  special,
} from './function.ts';

/** One text in; Null and Undefined are none. */
const unary = (operation: (text: string) => SqlValue): PlainFunction =>
  plain(1, 1, (argument) => {
    const text = toText(argument);
    return text === undefined ? undefined : operation(text);
  });

const binary = (operation: (first: string, second: string) => SqlValue): PlainFunction =>
  plain(2, 2, (left, right) => {
    const first = toText(left);
    const second = toText(right);
    return first === undefined || second === undefined ? undefined : operation(first, second);
  });

const MOST_BLANKS = 1_000;

/** The second argument is a number of blanks, not a width. */
const padding = (join: (text: string, blanks: string) => string): PlainFunction =>
  plain(2, 2, (value, size) => {
    const text = toText(value);
    const count = toIndex(size);
    if (text === undefined || count === undefined) return undefined;
    return join(text, ' '.repeat(Math.min(MOST_BLANKS, Math.max(0, count))));
  });

const MOST_ASCII = 127;

function chr(value: SqlValue): SqlValue {
  const code = toIndex(value);
  return code === undefined || code < 0 || code > MOST_ASCII
    ? undefined
    : String.fromCharCode(code);
}

/**
 * A single argument comes back as it is, says the table; the example `concat(1)` = "1" shows a
 * String. The table wins. Arguments without a String or Array among them have no row.
 */
function concat(...args: SqlValue[]): SqlValue {
  if (args.length < 2) return args[0];
  if (args.includes(undefined)) return undefined;
  if (args.some(isArray)) return args.flatMap((value) => (isArray(value) ? [...value] : [value]));
  if (!args.some((value) => typeof value === 'string')) return undefined;
  const texts = args.map(toText);
  return texts.includes(undefined) ? undefined : boundedText(texts.join(''));
}

function substring(value: SqlValue, from: SqlValue, ...rest: SqlValue[]): SqlValue {
  const text = toText(value);
  const start = toIndex(from);
  if (text === undefined || start === undefined) return undefined;
  if (rest.length === 0) return text.slice(Math.max(0, start));
  const end = toIndex(rest[0]);
  return end === undefined ? undefined : text.slice(Math.max(0, start), Math.max(0, end));
}

function replace(value: SqlValue, search: SqlValue, replacement: SqlValue): SqlValue {
  const [text, old, fresh] = [toText(value), toText(search), toText(replacement)];
  if (text === undefined || old === undefined || fresh === undefined) return undefined;
  const count = old === '' ? text.length + 1 : text.split(old).length - 1;
  if (text.length + count * fresh.length > LONGEST_TEXT) return undefined;
  return text.replaceAll(old, () => fresh);
}

function regexpMatches(text: string, pattern: string): SqlValue {
  const regex = regexOf(pattern);
  return regex === undefined ? undefined : regex.find(text) !== undefined;
}

function regexpSubstr(text: string, pattern: string): SqlValue {
  return regexOf(pattern)?.find(text);
}

/** The replacement is Java's: `$1` is a group, a backslash takes the next character as it is. */
function regexpReplace(text: string, pattern: string, replacement: string): SqlValue {
  const regex = regexOf(pattern);
  // each of at most n + 1 matches writes its replacement, in which a group writes at most the match
  const groups = replacement.split('$').length;
  if (
    regex === undefined ||
    (text.length + 1) * replacement.length + text.length * groups > MOST_WORK
  ) {
    return undefined;
  }
  const replaced = regex.replaceAll(text, replacement);
  return replaced === undefined ? undefined : boundedText(replaced);
}
const MOST_WORK = 16 * LONGEST_TEXT;

/** A literal pattern is checked once, when the rule is compiled. */
const patterned = (count: number, operation: (...texts: string[]) => SqlValue): SpecialFunction =>
  special(count, count, (call, tools) => {
    checkPattern(call, tools);
    return onTexts(
      call.args.map((argument) => tools.compile(argument)),
      operation,
    );
  });

function onTexts(args: readonly Evaluate[], operation: (...texts: string[]) => SqlValue): Evaluate {
  return (scope) => {
    const texts: string[] = [];
    for (const evaluate of args) {
      const text = toText(evaluate(scope));
      if (text === undefined) return undefined;
      texts.push(text);
    }
    return operation(...texts);
  };
}

function checkPattern(call: Call, tools: CompileTools): void {
  const pattern = call.args[1];
  const missing = beyondRe2(literalText(pattern) ?? '');
  if (pattern !== undefined && missing !== undefined) {
    tools.unsupported(pattern, missing, 'expressions run on RE2, in time linear in the text');
  }
}

export const TEXT: FunctionTable = {
  chr: plain(1, 1, chr),
  concat: plain(0, Number.POSITIVE_INFINITY, concat),
  endswith: binary((text, end) => text.endsWith(end)),
  // the guide does not say what "not found" gives; -1 as everywhere else
  indexof: binary((text, part) => text.indexOf(part)),
  // characters and positions are UTF-16 units, as Java counts them
  length: unary((text) => text.length),
  lower: unary((text) => text.toLowerCase()),
  lpad: padding((text, blanks) => blanks + text),
  // the text removes leading white space only; its example, which also loses an inner blank, is a misprint
  ltrim: unary((text) => text.replace(/^[ \t]+/, '')),
  numbytes: unary((text) => Buffer.byteLength(text)),
  regexp_matches: patterned(2, regexpMatches as (...texts: string[]) => SqlValue),
  regexp_replace: patterned(3, regexpReplace as (...texts: string[]) => SqlValue),
  regexp_substr: patterned(2, regexpSubstr as (...texts: string[]) => SqlValue),
  replace: plain(3, 3, replace),
  rpad: padding((text, blanks) => text + blanks),
  rtrim: unary(trimEnd),
  startswith: binary((text, start) => text.startsWith(start)),
  substring: plain(2, 3, substring),
  trim: unary((text) => trimEnd(text).replace(/^[ \t]+/, '')),
  upper: unary((text) => text.toUpperCase()),
};

/** Not /[ \t]+$/, whose time is quadratic in the blanks inside the text. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text.charAt(end - 1) === ' ' || text.charAt(end - 1) === '\t')) end -= 1;
  return text.slice(0, end);
}
