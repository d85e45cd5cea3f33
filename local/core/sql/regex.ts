/**
 * Regular expressions run on RE2, whose time is linear in the text whatever the pattern: no rule,
 * and no payload that carries a pattern, can make the engine backtrack. AWS's dialect is Java's by
 * all evidence; what RE2 does not have (lookaround, backreferences) is refused.
 */
import { RE2JS } from 're2js';
import { LONGEST_PATTERN } from './limits.ts';

export interface Regex {
  /** The first match and where it stands. */
  find(text: string): string | undefined;
  /** Every match replaced, by a replacement as Java has it; undefined for one that is not valid. */
  replaceAll(text: string, replacement: string): string | undefined;
}

const MOST_PATTERNS = 256;
const compiled = new Map<string, Regex | undefined>();

/** A pattern, compiled once; undefined where it is not valid. */
export function regexOf(pattern: string): Regex | undefined {
  if (compiled.has(pattern)) return compiled.get(pattern);
  if (compiled.size >= MOST_PATTERNS) compiled.clear();
  const regex = pattern.length > LONGEST_PATTERN ? undefined : compilePattern(pattern);
  compiled.set(pattern, regex);
  return regex;
}

function compilePattern(pattern: string): Regex | undefined {
  try {
    return regexFrom(RE2JS.compile(pattern), simpleRegex(pattern));
  } catch {
    return undefined;
  }
}

const regexFrom = (re2: RE2JS, simple: SimpleRegex | undefined): Regex => ({
  find(text) {
    if (simple !== undefined && text.length <= simple.longestText) {
      return simple.regex.exec(text)?.[0];
    }
    const matcher = re2.matcher(text);
    return matcher.find() ? (matcher.group() ?? '') : undefined;
  },
  replaceAll(text, replacement) {
    try {
      return re2.matcher(text).replaceAll(replacement, true);
    } catch {
      return undefined;
    }
  },
});

/** A pattern that the runtime's own, much faster engine matches alike. */
interface SimpleRegex {
  readonly regex: RegExp;
  /** Up to here even its worst backtracking is over at once. */
  readonly longestText: number;
}

/** Characters, classes and quantifiers in a row: no groups, alternatives, flags or back references. */
const SIMPLE =
  /^\^?(?:(?:[^\\^$.|?*+()[\]{}]|\\[.\-/^$|?*+()[\]{}\\dwDW]|\.|\[\^?(?:[^\\[\]&~|^]|\\[\\dw.\-\]])+\])(?:[*+?]\??|\{\d{1,2}(?:,\d{0,2})?\}\??)?)*\$?$/u;
const ATOM = /\\.|\[(?:\\.|[^\]])*\]|[.*+?{]/gsu;
const MOST_STEPS = 1_000_000;

function simpleRegex(pattern: string): SimpleRegex | undefined {
  if (!SIMPLE.test(pattern)) return undefined;
  const atoms = pattern.match(ATOM) ?? [];
  const quantifiers = atoms.filter((atom) => /^[*+?{]$/.test(atom)).length;
  // Java's point leaves out only line ends, as RE2's does
  const source = pattern.replace(ATOM, (atom) => (atom === '.' ? '[^\\n]' : atom));
  return {
    regex: new RegExp(source, 'u'),
    longestText: Math.floor(MOST_STEPS ** (1 / (quantifiers + 1))),
  };
}

/** Names what a pattern uses that Java has and this engine has not. */
export function beyondRe2(pattern: string): string | undefined {
  if (regexOf(pattern) !== undefined) return undefined;
  const unescaped = pattern.replaceAll(/\\\\/g, '');
  if (/\(\?<?[=!]/.test(unescaped)) return 'lookaround in a regular expression';
  if (/\\[1-9]|\\k</.test(unescaped)) return 'a backreference in a regular expression';
  if (/[*+?}]\+|\(\?>/.test(unescaped)) return 'a possessive quantifier or atomic group';
  return undefined;
}
