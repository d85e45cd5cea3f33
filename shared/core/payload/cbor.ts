import { Tokenizer, Type } from 'cborg';
import { reject } from '../errors.ts';

type Token = ReturnType<Tokenizer['next']>;

/** An array or map under construction. */
interface Container {
  readonly path: string;
  /** Undefined for an array. */
  readonly map: Record<string, unknown> | undefined;
  readonly list: unknown[];
  /** Values still due; infinite until a break. */
  due: number;
  /** A map's key whose value comes next. */
  key: string | undefined;
}

const DEPTH_LIMIT = 32;
/** Tag 55799, "self-described CBOR" (RFC 8949, clause 3.4.6). */
const SELF_DESCRIBED = [0xd9, 0xd9, 0xf7];
const FORBIDDEN_KEY = '__proto__';

/** Whether the bytes begin as a CBOR array or map does, tagged or not; no JSON text begins so. */
export const looksLikeCbor = (bytes: Uint8Array): boolean => {
  const [first = 0] = bytes;
  return (first >= 0x80 && first <= 0xbf) || isSelfDescribed(bytes);
};

const isSelfDescribed = (bytes: Uint8Array): boolean =>
  SELF_DESCRIBED.every((byte, at) => bytes[at] === byte);

/**
 * Reads one CBOR item (RFC 8949). `cborg` splits the bytes into tokens; the tree is built here, without recursion,
 * so that each refusal can say where. Text must be UTF-8, keys must be text and unique; tags are not supported.
 *
 * @throws {RejectedError} `MALFORMED_PAYLOAD`
 */
export function parseCbor(bytes: Uint8Array): unknown {
  return new Builder(
    isSelfDescribed(bytes) ? bytes.subarray(SELF_DESCRIBED.length) : bytes,
  ).build();
}

/** What JSON has no word for is let through here, and refused under its path where metrics are gathered. */
const LENIENT = {
  allowBigInt: true,
  allowIndefinite: true,
  allowInfinity: true,
  allowNaN: true,
  allowUndefined: true,
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Builder {
  readonly #tokens: Tokenizer;
  readonly #stack: Container[] = [];
  #root: unknown;

  constructor(bytes: Uint8Array) {
    // the tokenizer wants a plain array: a Buffer's slices are views
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#tokens = new Tokenizer(plain, { ...LENIENT, retainStringBytes: true });
  }

  build(): unknown {
    do this.#accept(this.#next());
    while (this.#stack.length > 0);
    if (!this.#tokens.done()) reject('MALFORMED_PAYLOAD', '(root)', 'has bytes after its end');
    return this.#root;
  }

  #next(): Token {
    if (this.#tokens.done()) reject('MALFORMED_PAYLOAD', this.#path(), 'ends before its end');
    try {
      return this.#tokens.next();
    } catch (error) {
      const at = `byte ${this.#tokens.pos() + 1}`;
      return reject('MALFORMED_PAYLOAD', this.#path(), `${reasonOf(error)} (${at})`);
    }
  }

  #accept(token: Token): void {
    const top = this.#stack.at(-1);
    if (Type.equals(token.type, Type.break)) this.#breakOff(top);
    else if (top?.map !== undefined && top.key === undefined) this.#key(top, top.map, token);
    else this.#value(token);
    this.#close();
  }

  #breakOff(top: Container | undefined): void {
    if (top?.due !== Number.POSITIVE_INFINITY || top.key !== undefined) {
      reject('MALFORMED_PAYLOAD', this.#path(), 'has a break where a value is due');
    }
    top.due = 0;
  }

  #key(top: Container, map: Record<string, unknown>, token: Token): void {
    if (!Type.equals(token.type, Type.string)) {
      reject('MALFORMED_PAYLOAD', this.#path(), 'has a key that is not text');
    }
    const key = textOf(token, this.#path());
    const path = join(top.path, key);
    if (key === FORBIDDEN_KEY) reject('MALFORMED_PAYLOAD', path, 'is a forbidden key');
    if (Object.hasOwn(map, key)) reject('MALFORMED_PAYLOAD', path, 'is a duplicate key');
    top.key = key;
  }

  #value(token: Token): void {
    const path = this.#path();
    if (Type.equals(token.type, Type.tag)) {
      reject('MALFORMED_PAYLOAD', path, `has tag ${token.value}; tags are not supported`);
    }
    if (Type.equals(token.type, Type.array)) this.#open(path, [], undefined, token.value);
    else if (Type.equals(token.type, Type.map)) this.#open(path, [], {}, token.value);
    else this.#put(Type.equals(token.type, Type.string) ? textOf(token, path) : token.value);
  }

  #open(path: string, list: unknown[], map: Container['map'], due: number): void {
    if (this.#stack.length === DEPTH_LIMIT) {
      reject('MALFORMED_PAYLOAD', path, `is nested deeper than ${DEPTH_LIMIT} levels`);
    }
    this.#put(map ?? list);
    this.#stack.push({ path, list, map, due, key: undefined });
  }

  #put(value: unknown): void {
    const top = this.#stack.at(-1);
    if (top === undefined) this.#root = value;
    else if (top.map === undefined) top.list.push(value);
    else if (top.key !== undefined) top.map[top.key] = value;
    if (top !== undefined) {
      top.key = undefined;
      top.due -= 1;
    }
  }

  #close(): void {
    while (this.#stack.at(-1)?.due === 0) this.#stack.pop();
  }

  #path(): string {
    const top = this.#stack.at(-1);
    if (top === undefined) return '(root)';
    if (top.map === undefined)
      return `${top.path === '(root)' ? '' : top.path}[${top.list.length}]`;
    return top.key === undefined ? top.path : join(top.path, top.key);
  }
}

const join = (path: string, key: string): string => (path === '(root)' ? key : `${path}.${key}`);

function textOf(token: Token, path: string): string {
  try {
    return utf8.decode(token.byteValue);
  } catch {
    return reject('MALFORMED_PAYLOAD', path, 'is not UTF-8');
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error
    ? `is not CBOR: ${error.message.replace(/^CBOR decode error: /, '')}`
    : 'is not CBOR';
