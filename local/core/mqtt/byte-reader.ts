import { ProtocolFault, Reason } from './reason.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Walks the fields of one packet; every step over the end or outside the encoding is a fault that names the field. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #take(count: number, field: string): number {
    const at = this.#at;
    if (count > this.left) {
      const problem = `${field} needs ${count} bytes where ${this.left} are left`;
      throw new ProtocolFault(Reason.malformed, problem);
    }
    this.#at += count;
    return at;
  }

  byte(field: string): number {
    return this.#bytes.readUInt8(this.#take(1, field));
  }

  uint16(field: string): number {
    return this.#bytes.readUInt16BE(this.#take(2, field));
  }

  uint32(field: string): number {
    return this.#bytes.readUInt32BE(this.#take(4, field));
  }

  variableByteInteger(field: string): number {
    let value = 0;
    for (let factor = 1; factor <= 0x80 ** 3; factor *= 0x80) {
      const byte = this.byte(field);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new ProtocolFault(Reason.malformed, `${field} has more than 4 bytes`);
  }

  /** @returns the number of bytes it held */
  binary(field: string): number {
    const length = this.uint16(field);
    this.#take(length, field);
    return length;
  }

  /** A UTF-8 string as MQTT allows it: well-formed and without U+0000 [MQTT-1.5.3-1, MQTT-1.5.3-2]. */
  text(field: string): string {
    const length = this.uint16(field);
    const start = this.#take(length, field);
    const end = start + length;
    if (plainAscii(this.#bytes, start, end)) return this.#bytes.toString('latin1', start, end);
    return this.#decode(field, start, end);
  }

  #decode(field: string, start: number, end: number): string {
    const text = wellFormed(this.#bytes.subarray(start, end));
    if (text === undefined) throw new ProtocolFault(Reason.malformed, `${field} is not UTF-8`);
    if (!text.includes('\0')) return text;
    throw new ProtocolFault(Reason.malformed, `${field} holds U+0000`);
  }
}

function plainAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0 || byte > 0x7f) return false;
  }
  return true;
}

function wellFormed(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
