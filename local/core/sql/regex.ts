/**
 * Regular expressions run on RE2, whose time is linear in the text whatever the pattern: no rule,
 * and no payload that carries a pattern, can make the engine backtrack. AWS's dialect is Java's by
 * all evidence; what RE2 does not have (lookaround, backreferences) is refused.
 */
import { RE2JS } from 're2js';
import { LONGEST_PATTERN } from './limits.ts';

const MOST_PATTERNS = 256;
const compiled = new Map<string, RE2JS | undefined>();

/** A pattern, compiled once; undefined where it is not valid. */
export function regexOf(pattern: string): RE2JS | undefined {
  if (compiled.has(pattern)) return compiled.get(pattern);
  if (compiled.size >= MOST_PATTERNS) compiled.clear();
  const regex = compilePattern(pattern);
  compiled.set(pattern, regex);
  return regex;
}

function compilePattern(pattern: string): RE2JS | undefined {
  if (pattern.length > LONGEST_PATTERN) return undefined;
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
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
