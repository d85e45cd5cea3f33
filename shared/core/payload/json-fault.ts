/** Where a text stops being JSON, or repeats a key. */
export interface JsonFault {
  /** `a.b[3].c`; `(root)` at the top. */
  readonly path: string;
  /** UTF-16 units from the start. */
  readonly offset: number;
  readonly problem: string;
}

interface Container {
  /** Keys of an object so far; an array has none. */
  readonly keys: Set<string> | undefined;
  /** Where in it we are: the last key, or the position. */
  at: string | number;
}

const DEPTH_LIMIT = 32;

const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259, clause 7: they must be escaped
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;
const FOREIGN = /[+-]?(?:NaN|Infinity)|undefined|True|False|None|nil|'|\/[/*]/y;

/**
 * The first fault of a text that `JSON.parse` refused, or that has a duplicate key (RFC 8259, clause 4: such an
 * object is unpredictable). One pass, depth bounded; slow, as it runs for faulty texts only.
 */
export function findJsonFault(text: string): JsonFault {
  return new Scanner(text).fault() ?? { path: '(root)', offset: 0, problem: 'is not JSON' };
}

class Scanner {
  readonly #text: string;
  readonly #stack: Container[] = [];
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  fault(): JsonFault | undefined {
    for (;;) {
      const problem = this.#value() ?? this.#afterValue();
      if (problem !== undefined) return this.#at(problem);
      if (this.#stack.length === 0) return this.#rest();
    }
  }

  /** One scalar, or the opening of a container up to its first value. */
  #value(): string | undefined {
    this.#take(SPACE);
    if (this.#takeChar('{')) return this.#open(new Set());
    if (this.#takeChar('[')) return this.#open(undefined);
    if (this.#take(STRING) !== undefined) return undefined;
    if (this.#take(LITERAL) !== undefined) return undefined;
    if (this.#take(NUMBER) !== undefined) return undefined;
    return this.#notAValue();
  }

  #open(keys: Set<string> | undefined): string | undefined {
    if (this.#stack.length === DEPTH_LIMIT) return `is nested deeper than ${DEPTH_LIMIT} levels`;
    this.#stack.push({ keys, at: keys === undefined ? 0 : '' });
    this.#take(SPACE);
    const closed = this.#text[this.#offset] === (keys === undefined ? ']' : '}');
    if (closed) return undefined;
    return (keys === undefined ? undefined : this.#key(keys)) ?? this.#value();
  }

  #key(keys: Set<string>): string | undefined {
    this.#take(SPACE);
    const quoted = this.#take(STRING);
    if (quoted === undefined) return 'wants a key in double quotes here';
    const key: unknown = JSON.parse(quoted);
    this.#move(String(key));
    if (keys.has(String(key))) return 'is a duplicate key';
    keys.add(String(key));
    this.#take(SPACE);
    return this.#takeChar(':') ? undefined : 'wants a colon here';
  }

  /** Closes what ends here; otherwise goes on to the next member or element, just before its value. */
  #afterValue(): string | undefined {
    for (;;) {
      const container = this.#stack.at(-1);
      if (container === undefined) return undefined;
      this.#take(SPACE);
      const close = container.keys === undefined ? ']' : '}';
      if (this.#takeChar(close)) this.#stack.pop();
      else if (this.#takeChar(',')) return this.#next(container);
      else if (this.#offset >= this.#text.length) return `ends before its ${close}`;
      else return `wants a comma or ${close} here`;
    }
  }

  #next(container: Container): string | undefined {
    if (container.keys !== undefined) return this.#key(container.keys);
    container.at = Number(container.at) + 1;
    return undefined;
  }

  #rest(): JsonFault | undefined {
    this.#take(SPACE);
    return this.#offset < this.#text.length ? this.#at('has text after its end') : undefined;
  }

  #notAValue(): string {
    if (this.#offset >= this.#text.length) return 'ends where a value is due';
    const foreign = this.#peek(FOREIGN);
    if (foreign !== undefined) return `${foreign} is not JSON`;
    return this.#text[this.#offset] === '"'
      ? 'is a string that is not closed, or holds a bare control character or an unknown escape'
      : 'wants a value here';
  }

  #move(key: string): void {
    const container = this.#stack.at(-1);
    if (container !== undefined) container.at = key;
  }

  #peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    return pattern.exec(this.#text)?.[0];
  }

  #take(pattern: RegExp): string | undefined {
    const taken = this.#peek(pattern);
    this.#offset += taken?.length ?? 0;
    return taken;
  }

  #takeChar(char: string): boolean {
    if (this.#text[this.#offset] !== char) return false;
    this.#offset += 1;
    return true;
  }

  #at(problem: string): JsonFault {
    return { path: pathOf(this.#stack), offset: this.#offset, problem };
  }
}

const pathOf = (stack: readonly Container[]): string =>
  stack.reduce((path, { at }) => {
    if (typeof at === 'number') return `${path}[${at}]`;
    return path === '' ? at : at === '' ? path : `${path}.${at}`;
  }, '') || '(root)';
