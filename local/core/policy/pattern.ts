import { fault, type Place } from './document.ts';

/** Values of condition keys and policy variables of one request, by their full names. */
export type PolicyContext = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Variable {
  readonly kind: 'variable';
  readonly name: string;
  /** IAM's `${key, 'default'}`. */
  readonly fallback?: string | undefined;
  /** False for a name the flavour does not know: it never has a value. */
  readonly known: boolean;
  /** Values with `* $ + ? #` or over 1,024 characters are not put in. */
  readonly guarded: boolean;
}

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'run' }
  | { readonly kind: 'one' }
  | Variable;

/** A policy's text, taken apart once: literal runs, wildcards, variables. */
export interface Pattern {
  readonly source: string;
  readonly parts: readonly Part[];
  readonly variables: readonly Variable[];
}

export interface PatternRules {
  /** Whether `*` and `?` are wildcards here. */
  readonly wildcards: boolean;
  /** Undefined where variables are plain text (policies of version 2008-10-17). */
  readonly variable:
    | ((name: string) => { readonly known: boolean; readonly guarded: boolean })
    | undefined;
}

const PLACEHOLDER = /\$\{([^}]*)\}/y;
const WITH_DEFAULT = /^([^,\s]+)\s*,\s*'([^']*)'$/;
const ESCAPED = new Set(['*', '?', '$']);

/**
 * Takes a resource, an action or a condition's value apart. `+` and `#` are plain characters.
 *
 * @throws {PolicyError} for a `${` that is never closed
 * @see IAM User Guide, "IAM policy elements: Variables and tags"
 */
export function compilePattern(source: string, rules: PatternRules, place: Place): Pattern {
  const parts: Part[] = [];
  let text = '';
  const add = (part: Part) => {
    if (text !== '') parts.push({ kind: 'text', text });
    text = '';
    parts.push(part);
  };
  for (let at = 0; at < source.length; at++) {
    const character = source.charAt(at);
    if (rules.variable !== undefined && source.startsWith('${', at)) {
      PLACEHOLDER.lastIndex = at;
      const [whole, inside] = PLACEHOLDER.exec(source) ?? [];
      if (whole === undefined || inside === undefined)
        throw fault(place, `"${source}" opens a variable with "\${" and never closes it`);
      at += whole.length - 1;
      if (ESCAPED.has(inside)) text += inside;
      else add(variable(inside, rules.variable));
    } else if (rules.wildcards && character === '*') add({ kind: 'run' });
    else if (rules.wildcards && character === '?') add({ kind: 'one' });
    else text += character;
  }
  if (text !== '' || parts.length === 0) parts.push({ kind: 'text', text });
  return { source, parts, variables: parts.filter((part) => part.kind === 'variable') };
}

function variable(
  inside: string,
  rule: (name: string) => { readonly known: boolean; readonly guarded: boolean },
): Variable {
  const [, name = inside.trim(), fallback] = WITH_DEFAULT.exec(inside.trim()) ?? [];
  return { kind: 'variable', name, fallback, ...rule(name) };
}

const UNSAFE = /[*$+?#]/;
const LONGEST_VALUE = 1024;

/** The value that takes the variable's place, or undefined where it has none and the pattern cannot match. */
export function variableValue(variable: Variable, context: PolicyContext): string | undefined {
  const value = context[variable.name] ?? variable.fallback;
  if (!variable.known || typeof value !== 'string') return undefined;
  if (variable.guarded && (value.length > LONGEST_VALUE || UNSAFE.test(value))) return undefined;
  return value;
}

/** Width in UTF-16 units of the character at `at`: `?` is one character, also outside the basic plane. */
const widthAt = (text: string, at: number): number =>
  (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;

/**
 * Whether the whole `text` fits. `*` runs over `/` and `:`; values of variables are literal, whatever they hold.
 * Time is bounded by the product of both lengths.
 */
export function matches(parts: readonly Part[], text: string, context: PolicyContext): boolean {
  let index = 0;
  let at = 0;
  let afterRun = -1;
  let runEnd = 0;
  for (;;) {
    const part = parts[index];
    if (part === undefined) {
      if (at === text.length) return true;
    } else if (part.kind === 'run') {
      index += 1;
      if (index === parts.length) return true;
      afterRun = index;
      runEnd = at;
      continue;
    } else if (part.kind === 'one') {
      if (at < text.length) {
        at += widthAt(text, at);
        index += 1;
        continue;
      }
    } else {
      const literal = part.kind === 'text' ? part.text : variableValue(part, context);
      if (literal === undefined) return false;
      if (text.startsWith(literal, at)) {
        at += literal.length;
        index += 1;
        continue;
      }
    }
    if (afterRun < 0 || runEnd >= text.length) return false;
    runEnd += 1;
    at = runEnd;
    index = afterRun;
  }
}

/** The pattern with its variables' values put in; those without a value stay as written. */
export function render(pattern: Pattern, context: PolicyContext): string {
  const text = { run: () => '*', one: () => '?' };
  return pattern.parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      if (part.kind === 'variable') return variableValue(part, context) ?? `\${${part.name}}`;
      return text[part.kind]();
    })
    .join('');
}

export const unresolved = (pattern: Pattern, context: PolicyContext): readonly Variable[] =>
  pattern.variables.filter((variable) => variableValue(variable, context) === undefined);
