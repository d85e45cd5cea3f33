import { positionOf, SqlSyntaxError } from './errors.ts';

export type TokenKind = 'word' | 'variable' | 'number' | 'string' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** A word, symbol or numeral as written; a string's content; a variable's name without `@`. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const SYMBOLS = ['<>', '<=', '>=', '=', '<', '>', '+', '-', '*', '/', '%', '.', ',', ':'];
const BRACKETS = ['(', ')', '[', ']', '{', '}'];
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const VARIABLE = /[A-Za-z0-9_]+/y;
const NUMERAL = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\r\n]+/y;
const LONGEST_VARIABLE = 64;

/** What other dialects know and this one does not, with what to write instead. */
const HINTS: Readonly<Record<string, string>> = {
  '--': 'IoT SQL has no comments; for a minus of a negative number write - (-x)',
  '/*': 'IoT SQL has no comments',
  ';': 'a statement has no terminator',
  '!=': 'not equal is written <>',
  '==': 'equal is written =',
  '||': 'text is joined with + or concat()',
  '&&': 'write AND',
  '!': 'write NOT',
  '`': 'quote with \' or "',
  $: 'a substitution template stands in an action, not in a statement',
  '@': 'a variable is @ and letters, digits or _',
};

/** Cuts the text from `from` into tokens, lazily, since a template does not know where it ends. */
export class Lexer {
  readonly source: string;
  #at: number;

  constructor(source: string, from = 0) {
    this.source = source;
    this.#at = from;
  }

  next(): Token {
    this.#match(SPACE);
    const start = this.#at;
    if (start >= this.source.length) return { kind: 'end', text: '', start, end: start };
    const char = this.source.charAt(start);
    if (char === "'" || char === '"') return this.#string(char);
    if (char === '@') return this.#variable();
    if (char >= '0' && char <= '9') return this.#numeral();
    const word = this.#match(WORD);
    if (word !== undefined) return { kind: 'word', text: word, start, end: this.#at };
    return this.#symbol();
  }

  /** @throws {SqlSyntaxError} always */
  refuse(start: number, expected: string, found: string, hint?: string): never {
    throw new SqlSyntaxError(positionOf(this.source, start), {
      expected,
      found,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Either quote delimits; a doubled one stands for itself, a backslash is no escape (unverified). */
  #string(quote: string): Token {
    const start = this.#at;
    let text = '';
    let from = start + 1;
    for (;;) {
      const close = this.source.indexOf(quote, from);
      if (close < 0) {
        this.refuse(start, `a closing ${quote}`, 'the end', 'the string begins here');
      }
      text += this.source.slice(from, close);
      from = close + 1;
      if (this.source.charAt(from) !== quote) break;
      text += quote;
      from += 1;
    }
    this.#at = from;
    return { kind: 'string', text, start, end: from };
  }

  #variable(): Token {
    const start = this.#at++;
    const name = this.#match(VARIABLE);
    if (name === undefined) this.#refuseChar(start);
    if (name.length > LONGEST_VARIABLE) {
      this.refuse(start, `a variable of at most ${LONGEST_VARIABLE} characters`, `${name.length}`);
    }
    return { kind: 'variable', text: name, start, end: this.#at };
  }

  #numeral(): Token {
    const start = this.#at;
    const text = this.#match(NUMERAL) ?? '';
    const next = this.source.charAt(this.#at);
    if (next === '.' && !/\.[\p{L}_]/u.test(this.source.slice(this.#at, this.#at + 3))) {
      this.refuse(this.#at + 1, 'digits after the decimal point', this.#foundAt(this.#at + 1));
    }
    if (/[\p{L}_]/u.test(next)) {
      const hint = 'a name begins with a letter; for another key write get(object, "key")';
      this.refuse(this.#at, 'an operator or the end of the number', this.#foundAt(this.#at), hint);
    }
    return { kind: 'number', text, start, end: this.#at };
  }

  #symbol(): Token {
    const start = this.#at;
    const pair = this.source.slice(start, start + 2);
    if (Object.hasOwn(HINTS, pair) && pair.length === 2) this.#refuseChar(start, pair);
    const symbol = [...SYMBOLS, ...BRACKETS].find((text) => this.source.startsWith(text, start));
    if (symbol === undefined) this.#refuseChar(start);
    this.#at += symbol.length;
    return { kind: 'symbol', text: symbol, start, end: this.#at };
  }

  #refuseChar(start: number, found = this.#foundAt(start)): never {
    const text = found.replaceAll("'", '');
    this.refuse(start, 'a name, literal, operator or bracket', `'${text}'`, HINTS[text]);
  }

  #foundAt(at: number): string {
    const code = this.source.codePointAt(at);
    return code === undefined ? 'the end' : `'${String.fromCodePoint(code)}'`;
  }
}
