/**
 * Node's `Buffer` as far as codecs use it: over Uint8Array, with its encodings and its readers and writers. What is
 * missing is refused by its absence. Stands alone: see `runner.ts`.
 *
 * @see Node.js API, Buffer
 */
export function installBuffer(): void {
  const HEX = '0123456789abcdef';
  const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const URL64 = `${BASE64.slice(0, 62)}-_`;

  const encodingOf = (name: unknown): string => {
    const encoding = name === undefined ? 'utf8' : String(name).toLowerCase();
    if (encoding === 'utf-8') return 'utf8';
    if (encoding === 'binary') return 'latin1';
    return encoding;
  };
  const unknownEncoding = (encoding: string): never => {
    throw new TypeError(`Unknown encoding: ${encoding}`);
  };

  const utf8Bytes = (text: string): number[] => {
    const bytes: number[] = [];
    for (const char of text) {
      const code = char.codePointAt(0) ?? 0;
      const point = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
      if (point < 0x80) bytes.push(point);
      else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
      else if (point < 0x10000)
        bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
      else
        bytes.push(
          0xf0 | (point >> 18),
          0x80 | ((point >> 12) & 63),
          0x80 | ((point >> 6) & 63),
          0x80 | (point & 63),
        );
    }
    return bytes;
  };

  /** How many bytes follow a first byte, and the range of the second, as Unicode's table 3-7 has them. */
  const sequenceOf = (first: number): readonly [number, number, number] => {
    if (first >= 0xc2 && first <= 0xdf) return [1, 0x80, 0xbf];
    if (first === 0xe0) return [2, 0xa0, 0xbf];
    if (first === 0xed) return [2, 0x80, 0x9f];
    if (first >= 0xe1 && first <= 0xef) return [2, 0x80, 0xbf];
    if (first === 0xf0) return [3, 0x90, 0xbf];
    if (first === 0xf4) return [3, 0x80, 0x8f];
    if (first >= 0xf1 && first <= 0xf3) return [3, 0x80, 0xbf];
    return [0, 0, 0];
  };

  const utf8Text = (bytes: Uint8Array): string => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 1) {
      const first = bytes[at] ?? 0;
      if (first < 0x80) {
        text += String.fromCharCode(first);
        continue;
      }
      const [count, low, high] = sequenceOf(first);
      let point = first & (0x3f >> count);
      let taken = 0;
      while (taken < count) {
        const next = bytes[at + taken + 1] ?? 0;
        if (next < (taken === 0 ? low : 0x80) || next > (taken === 0 ? high : 0xbf)) break;
        point = (point << 6) | (next & 63);
        taken += 1;
      }
      text += count === 0 || taken < count ? '\ufffd' : String.fromCodePoint(point);
      at += taken;
    }
    return text;
  };

  const hexBytes = (text: string): number[] => {
    const bytes: number[] = [];
    for (let at = 0; at + 1 < text.length; at += 2) {
      const high = HEX.indexOf((text[at] ?? '').toLowerCase());
      const low = HEX.indexOf((text[at + 1] ?? '').toLowerCase());
      if (high < 0 || low < 0) break;
      bytes.push(high * 16 + low);
    }
    return bytes;
  };

  const base64Bytes = (text: string): number[] => {
    const bytes: number[] = [];
    let held = 0;
    let bits = 0;
    for (const char of text) {
      if (char === '=') break;
      const value = BASE64.indexOf(char) >= 0 ? BASE64.indexOf(char) : URL64.indexOf(char);
      if (value < 0) continue;
      held = ((held << 6) | value) & 0xffff;
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        bytes.push((held >> bits) & 0xff);
      }
    }
    return bytes;
  };

  const base64Text = (bytes: Uint8Array, alphabet: string, padding: string): string => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 3) {
      const left = bytes.length - at;
      const word = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
      text += (alphabet[word >> 18] ?? '') + (alphabet[(word >> 12) & 63] ?? '');
      text += left > 1 ? alphabet[(word >> 6) & 63] : padding;
      text += left > 2 ? alphabet[word & 63] : padding;
    }
    return text;
  };

  const unitBytes = (text: string, mask: number): number[] =>
    Array.from(text.split(''), (char) => char.charCodeAt(0) & mask);

  const bytesOf = (text: string, encoding: string): number[] => {
    switch (encoding) {
      case 'utf8':
        return utf8Bytes(text);
      case 'hex':
        return hexBytes(text);
      case 'base64':
      case 'base64url':
        return base64Bytes(text);
      case 'ascii':
      case 'latin1':
        return unitBytes(text, 0xff);
      case 'utf16le':
      case 'ucs2':
        return unitBytes(text, 0xffff).flatMap((unit) => [unit & 0xff, unit >> 8]);
      default:
        return unknownEncoding(encoding);
    }
  };

  const unitText = (bytes: Uint8Array, mask: number): string => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 1)
      text += String.fromCharCode((bytes[at] ?? 0) & mask);
    return text;
  };

  const textOf = (bytes: Uint8Array, encoding: string): string => {
    switch (encoding) {
      case 'utf8':
        return utf8Text(bytes);
      case 'hex': {
        let text = '';
        for (let at = 0; at < bytes.length; at += 1) {
          const byte = bytes[at] ?? 0;
          text += (HEX[byte >> 4] ?? '') + (HEX[byte & 15] ?? '');
        }
        return text;
      }
      case 'base64':
        return base64Text(bytes, BASE64, '=');
      case 'base64url':
        return base64Text(bytes, URL64, '');
      case 'ascii':
        return unitText(bytes, 0x7f);
      case 'latin1':
        return unitText(bytes, 0xff);
      case 'utf16le':
      case 'ucs2': {
        let text = '';
        for (let at = 0; at + 1 < bytes.length; at += 2) {
          text += String.fromCharCode((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
        }
        return text;
      }
      default:
        return unknownEncoding(encoding);
    }
  };

  const checkRange = (buffer: Uint8Array, at: number, size: number): void => {
    if (Number.isInteger(at) && at >= 0 && at + size <= buffer.length) return;
    const error: RangeError & { code?: string } = new RangeError(
      at + size > buffer.length && size > buffer.length
        ? 'Attempt to access memory outside buffer bounds'
        : `The value of "offset" is out of range. It must be >= 0 and <= ${buffer.length - size}. Received ${at}`,
    );
    error.code = 'ERR_OUT_OF_RANGE';
    throw error;
  };

  class Buffer extends Uint8Array {
    static override from(value: unknown, encodingOrOffset?: unknown, length?: number): Buffer {
      if (typeof value === 'string') return made(bytesOf(value, encodingOf(encodingOrOffset)));
      if (value instanceof ArrayBuffer) {
        return new Buffer(value, Number(encodingOrOffset ?? 0), length);
      }
      if (typeof value === 'object' && value !== null) {
        const { type, data } = value as { type?: unknown; data?: unknown };
        if (type === 'Buffer' && Array.isArray(data)) return made(data);
        if ('length' in value) return made(value as ArrayLike<number>);
      }
      throw new TypeError(
        'The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object.',
      );
    }

    static alloc(size: number, fill?: unknown, encoding?: unknown): Buffer {
      const buffer = new Buffer(size);
      return fill === undefined ? buffer : buffer.fill(fill as number, 0, size, encoding);
    }

    static allocUnsafe(size: number): Buffer {
      return new Buffer(size);
    }

    static isBuffer(value: unknown): boolean {
      return value instanceof Buffer;
    }

    static isEncoding(name: unknown): boolean {
      const known = ['utf8', 'hex', 'base64', 'base64url', 'ascii', 'latin1', 'utf16le', 'ucs2'];
      return known.includes(encodingOf(name));
    }

    static byteLength(value: unknown, encoding?: unknown): number {
      if (typeof value === 'string') return bytesOf(value, encodingOf(encoding)).length;
      return (value as Uint8Array).byteLength;
    }

    static concat(list: readonly Uint8Array[], length?: number): Buffer {
      const total = length ?? list.reduce((sum, { length: one }) => sum + one, 0);
      const joined = new Buffer(total);
      let at = 0;
      for (const part of list) {
        joined.set(part.subarray(0, Math.max(0, total - at)), at);
        at += part.length;
        if (at >= total) break;
      }
      return joined;
    }

    static compare(one: Uint8Array, other: Uint8Array): number {
      const shared = Math.min(one.length, other.length);
      for (let at = 0; at < shared; at += 1) {
        const difference = (one[at] ?? 0) - (other[at] ?? 0);
        if (difference !== 0) return Math.sign(difference);
      }
      return Math.sign(one.length - other.length);
    }

    override toString(encoding?: unknown, start = 0, end = this.length): string {
      const view = new Uint8Array(this.buffer, this.byteOffset, this.length);
      return textOf(view.subarray(Math.max(0, start), Math.max(0, end)), encodingOf(encoding));
    }

    toJSON(): object {
      return { type: 'Buffer', data: Array.from(this) };
    }

    equals(other: Uint8Array): boolean {
      return Buffer.compare(this, other) === 0;
    }

    compare(other: Uint8Array): number {
      return Buffer.compare(this, other);
    }

    /** Shares memory, unlike a typed array's. */
    override slice(start?: number, end?: number): Buffer & Uint8Array<ArrayBuffer> {
      return this.subarray(start, end) as Buffer & Uint8Array<ArrayBuffer>;
    }

    copy(target: Uint8Array, at = 0, start = 0, end = this.length): number {
      const part = this.subarray(start, end).subarray(0, Math.max(0, target.length - at));
      target.set(part, at);
      return part.length;
    }

    write(text: string, at?: unknown, length?: unknown, encoding?: unknown): number {
      const [offset, most, name] =
        typeof at === 'string'
          ? [0, this.length, at]
          : typeof length === 'string'
            ? [at, this.length, length]
            : [at, length, encoding];
      const start = Number(offset ?? 0);
      const room = Math.min(this.length - start, Number(most ?? this.length));
      const bytes = bytesOf(text, encodingOf(name)).slice(0, Math.max(0, room));
      this.set(bytes, start);
      return bytes.length;
    }

    override fill(value: unknown, start = 0, end = this.length, encoding?: unknown): this {
      const bytes =
        typeof value === 'string' ? bytesOf(value, encodingOf(encoding)) : Array.of(Number(value));
      const pattern = bytes.length === 0 ? [0] : bytes;
      for (let at = start; at < end; at += 1)
        this[at] = pattern[(at - start) % pattern.length] ?? 0;
      return this;
    }

    override indexOf(value: unknown, from = 0): number {
      if (typeof value === 'number')
        return Uint8Array.prototype.indexOf.call(this, value & 255, from);
      const wanted =
        typeof value === 'string' ? bytesOf(value, 'utf8') : Array.from(value as Uint8Array);
      for (let at = from; at + wanted.length <= this.length; at += 1) {
        if (wanted.every((byte, index) => this[at + index] === byte)) return at;
      }
      return -1;
    }

    override includes(value: unknown, from = 0): boolean {
      return this.indexOf(value, from) >= 0;
    }

    swap16(): this {
      return this.#swap(2);
    }

    swap32(): this {
      return this.#swap(4);
    }

    #swap(size: number): this {
      if (this.length % size !== 0) {
        throw new RangeError(`Buffer size must be a multiple of ${size * 8}-bits`);
      }
      for (let at = 0; at < this.length; at += size) {
        Uint8Array.prototype.reverse.call(new Uint8Array(this.buffer, this.byteOffset + at, size));
      }
      return this;
    }

    readUIntBE(at: number, size: number): number {
      checkRange(this, at, size);
      let value = 0;
      for (let index = 0; index < size; index += 1) value = value * 256 + (this[at + index] ?? 0);
      return value;
    }

    readUIntLE(at: number, size: number): number {
      checkRange(this, at, size);
      let value = 0;
      for (let index = size - 1; index >= 0; index -= 1) {
        value = value * 256 + (this[at + index] ?? 0);
      }
      return value;
    }

    readIntBE(at: number, size: number): number {
      const value = this.readUIntBE(at, size);
      return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
    }

    readIntLE(at: number, size: number): number {
      const value = this.readUIntLE(at, size);
      return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
    }

    writeUIntBE(value: number, at: number, size: number): number {
      checkRange(this, at, size);
      let rest = value;
      for (let index = size - 1; index >= 0; index -= 1) {
        this[at + index] = rest;
        rest = Math.floor(rest / 256);
      }
      return at + size;
    }

    writeUIntLE(value: number, at: number, size: number): number {
      checkRange(this, at, size);
      let rest = value;
      for (let index = 0; index < size; index += 1) {
        this[at + index] = rest;
        rest = Math.floor(rest / 256);
      }
      return at + size;
    }

    writeIntBE(value: number, at: number, size: number): number {
      return this.writeUIntBE(value < 0 ? value + 2 ** (8 * size) : value, at, size);
    }

    writeIntLE(value: number, at: number, size: number): number {
      return this.writeUIntLE(value < 0 ? value + 2 ** (8 * size) : value, at, size);
    }
  }

  const made = (bytes: ArrayLike<number>): Buffer => {
    const buffer = new Buffer(bytes.length);
    for (let at = 0; at < bytes.length; at += 1) buffer[at] = bytes[at] ?? 0;
    return buffer;
  };

  const method = (names: readonly string[], value: unknown): void => {
    for (const name of names) {
      Object.defineProperty(Buffer.prototype, name, { value, writable: true, configurable: true });
    }
  };

  /** Names as `readUInt16BE`, and as `readUint16BE`, which Node has too. */
  const both = (name: string): string[] =>
    name.includes('UInt') ? [name, name.replace('UInt', 'Uint')] : [name];

  for (const size of [1, 2, 4]) {
    for (const sign of ['UInt', 'Int']) {
      for (const order of size === 1 ? [''] : ['BE', 'LE']) {
        const general = `${sign}${order === '' ? 'BE' : order}`;
        method(both(`read${sign}${size * 8}${order}`), function (this: Buffer, at = 0) {
          const reader = this[`read${general}` as 'readUIntBE'];
          return reader.call(this, at, size);
        });
        method(
          both(`write${sign}${size * 8}${order}`),
          function (this: Buffer, value: number, at = 0) {
            const writer = this[`write${general}` as 'writeUIntBE'];
            return writer.call(this, Number(value), at, size);
          },
        );
      }
    }
  }
  for (const [name, size, kind] of [
    ['Float', 4, 'Float32'],
    ['Double', 8, 'Float64'],
    ['BigInt64', 8, 'BigInt64'],
    ['BigUInt64', 8, 'BigUint64'],
  ] as const) {
    for (const order of ['BE', 'LE']) {
      const view = (buffer: Buffer): DataView =>
        new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
      method(both(`read${name}${order}`), function (this: Buffer, at = 0) {
        checkRange(this, at, size);
        return view(this)[`get${kind}`](at, order === 'LE');
      });
      method(both(`write${name}${order}`), function (this: Buffer, value: never, at = 0) {
        checkRange(this, at, size);
        view(this)[`set${kind}`](at, value, order === 'LE');
        return at + size;
      });
    }
  }
  for (const name of ['readUIntBE', 'readUIntLE', 'writeUIntBE', 'writeUIntLE'] as const) {
    method([name.replace('UInt', 'Uint')], Buffer.prototype[name]);
  }
  Object.defineProperty(globalThis, 'Buffer', {
    value: Buffer,
    writable: true,
    configurable: true,
  });
}
