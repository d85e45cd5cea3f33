/** Walks WebAssembly binary: LEB128 integers, vectors, instructions and their immediates. */
export class WasmReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new RangeError(`WebAssembly ends at byte ${this.at}`);
    this.at += 1;
    return value;
  }

  /** Unsigned LEB128 of 32 bits. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /** Any LEB128, of which only the end matters. */
  skipInteger(): void {
    while (this.byte() >= 0x80);
  }

  skip(count: number): void {
    this.at += count;
  }

  name(): string {
    const length = this.unsigned();
    const text = String.fromCharCode(...this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }
}

/**
 * Where the instruction after this one begins. No method of the reader, as half a million of these have to be quick
 * before anything is compiled.
 *
 * @throws {Error} for an instruction beyond WebAssembly 2.0 without vectors
 * @see WebAssembly Core Specification 2.0, section 5.4
 */
export function nextInstruction(bytes: Uint8Array, at: number): number {
  const shape = SHAPES[bytes[at] ?? 0] ?? UNKNOWN;
  if (shape === 0) return at + 1;
  if (shape === 1) return afterInteger(bytes, at + 1);
  if (shape === 2) return afterInteger(bytes, afterInteger(bytes, at + 1));
  if (shape === BYTES_4) return at + 5;
  if (shape === BYTES_8) return at + 9;
  if (shape === UNKNOWN) throw new Error(`unknown WebAssembly instruction ${bytes[at]}`);
  const reader = new WasmReader(bytes, at + 1);
  const number = reader.unsigned();
  const integers = shape === PREFIX ? integersBehindPrefix(number) : number;
  let next = reader.at;
  for (let left = shape === TARGETS ? integers + 1 : integers; left > 0; left -= 1) {
    next = afterInteger(bytes, next);
  }
  return next;
}

/** Any LEB128, of which only the end matters. */
function afterInteger(bytes: Uint8Array, at: number): number {
  let next = at;
  while ((bytes[next] ?? 0) >= 0x80) next += 1;
  return next + 1;
}

/** What follows an opcode: none, one or two integers, or one of these. */
const [BYTES_4, BYTES_8, TYPES, TARGETS, PREFIX, UNKNOWN] = [3, 4, 5, 6, 7, 8];

/** Last opcode of a range, and what follows each of the range. */
const RANGES: readonly (readonly [number, number])[] = [
  [0x01, 0],
  [0x04, 1], // block, loop, if: their type
  [0x05, 0],
  [0x0a, UNKNOWN],
  [0x0b, 0],
  [0x0d, 1],
  [0x0e, TARGETS],
  [0x0f, 0],
  [0x10, 1],
  [0x11, 2], // call_indirect: type and table
  [0x19, UNKNOWN],
  [0x1b, 0],
  [0x1c, TYPES],
  [0x1f, UNKNOWN],
  [0x26, 1], // variables and tables
  [0x27, UNKNOWN],
  [0x3e, 2], // loads and stores: alignment and offset
  [0x42, 1],
  [0x43, BYTES_4],
  [0x44, BYTES_8],
  [0xc4, 0],
  [0xcf, UNKNOWN],
  [0xd0, 1],
  [0xd1, 0],
  [0xd2, 1],
  [0xfb, UNKNOWN],
  [0xfc, PREFIX],
  [0xff, UNKNOWN],
];

const SHAPES = Uint8Array.from({ length: 256 }, (_, opcode) => {
  const [, shape = UNKNOWN] = RANGES.find(([last]) => opcode <= last) ?? [];
  return shape;
});

/** Saturating conversions have no immediate, `memory.fill` and `data.drop` one, copies and inits two. */
function integersBehindPrefix(opcode: number): number {
  if (opcode <= 7) return 0;
  if (opcode > 17) throw new Error(`unknown WebAssembly instruction 252 ${opcode}`);
  return [9, 11, 13, 15, 16, 17].includes(opcode) ? 1 : 2;
}
