import { nextInstruction, WasmReader } from './wasm-reader.ts';

/** Where the metered module finds what it needs of the original. */
export interface MeteringPlan {
  /** Import `() -> i32`, called when the fuel is out; its answer is dropped, it ends the run by throwing. */
  readonly outOfFuel: { readonly module: string; readonly name: string };
  /** Name under which the fuel is exported: a mutable i32 that runs down. */
  readonly fuelName: string;
  /** The most that the memory may grow to, in pages of 64 KiB. */
  readonly memoryLimitPages: number;
}

/**
 * Makes every loop and call of a WebAssembly module cost fuel, and every bulk operation on memory one unit for each
 * 64 bytes. So nothing inside can run on for longer than the fuel lasts, neither interpreted code nor the
 * interpreter's own loops, and the same work costs the same on every machine. The memory gets a maximum.
 *
 * @param binary  a module with one memory and without threads, vectors or exceptions
 * @throws {Error} naming what the module lacks or has beyond that
 */
export function meter(binary: Uint8Array, plan: MeteringPlan): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(binary);
  const module = describe(sections, plan);
  const out = new Output(binary.length + (binary.length >> 1));
  out.bytes(binary.subarray(0, HEADER_BYTES));
  for (const { id, reader } of sections) {
    const rewrite = REWRITES[id];
    out.byte(id);
    out.sized(() => {
      if (rewrite === undefined) out.bytes(reader.bytes.subarray(reader.at, reader.end));
      else rewrite(new WasmReader(reader.bytes, reader.at, reader.end), out, module, plan);
    });
  }
  return out.result();
}

const HEADER_BYTES = 8;
const SECTION = { type: 1, import: 2, function: 3, memory: 5, global: 6, export: 7, code: 10 };

interface Section {
  readonly id: number;
  readonly reader: WasmReader;
}

interface ModuleFacts {
  /** Parameters of each function that the module defines. */
  readonly parameters: readonly number[];
  /** Index of the fuel among the globals. */
  readonly fuel: number;
  /** Index of the function to call when it is out. */
  readonly outOfFuel: number;
  /** Instructions that take one unit of fuel. */
  readonly chargeOne: Uint8Array;
}

type Rewrite = (from: WasmReader, out: Output, module: ModuleFacts, plan: MeteringPlan) => void;

const REWRITES: Readonly<Record<number, Rewrite>> = {
  [SECTION.memory]: limitMemory,
  [SECTION.global]: addFuel,
  [SECTION.export]: exportFuel,
  [SECTION.code]: meterCode,
};

function sectionsOf(binary: Uint8Array): Section[] {
  const reader = new WasmReader(binary, HEADER_BYTES);
  const sections: Section[] = [];
  while (reader.at < reader.end) {
    const id = reader.byte();
    const size = reader.unsigned();
    sections.push({ id, reader: new WasmReader(binary, reader.at, reader.at + size) });
    reader.skip(size);
  }
  return sections;
}

function describe(sections: readonly Section[], plan: MeteringPlan): ModuleFacts {
  const section = (id: number): WasmReader => {
    const found = sections.find((one) => one.id === id)?.reader;
    if (found === undefined) throw new Error(`the WebAssembly module has no section ${id}`);
    return new WasmReader(found.bytes, found.at, found.end);
  };
  const parametersOfType = typesIn(section(SECTION.type));
  const fuel = section(SECTION.global).unsigned();
  const outOfFuel = importedFunction(section(SECTION.import), plan);
  return {
    parameters: indexesIn(section(SECTION.function)).map((type) => parametersOfType[type] ?? 0),
    fuel,
    outOfFuel,
    chargeOne: Uint8Array.from(charge({ fuel, outOfFuel }, [CONST, 1])),
  };
}

function typesIn(from: WasmReader): number[] {
  return times(from.unsigned(), () => {
    from.byte();
    const parameters = from.unsigned();
    from.skip(parameters);
    from.skip(from.unsigned());
    return parameters;
  });
}

const indexesIn = (from: WasmReader): number[] => times(from.unsigned(), () => from.unsigned());

function importedFunction(from: WasmReader, { outOfFuel }: MeteringPlan): number {
  const names = times(from.unsigned(), () => {
    const name = `${from.name()}.${from.name()}`;
    if (from.byte() !== 0) throw new Error(`the import ${name} is no function`);
    from.skipInteger();
    return name;
  });
  const wanted = `${outOfFuel.module}.${outOfFuel.name}`;
  const index = names.indexOf(wanted);
  if (index < 0) throw new Error(`the WebAssembly module does not import ${wanted}`);
  return index;
}

function limitMemory(from: WasmReader, out: Output, _: ModuleFacts, plan: MeteringPlan): void {
  if (from.unsigned() !== 1) throw new Error('the WebAssembly module wants one memory');
  from.byte();
  const least = from.unsigned();
  out.unsigned(1);
  out.byte(1); // with a maximum
  out.unsigned(least);
  out.unsigned(plan.memoryLimitPages);
}

function addFuel(from: WasmReader, out: Output): void {
  out.unsigned(from.unsigned() + 1);
  out.bytes(from.bytes.subarray(from.at, from.end));
  out.bytes([I32, 1, CONST, 0, END]);
}

function exportFuel(
  from: WasmReader,
  out: Output,
  { fuel }: ModuleFacts,
  plan: MeteringPlan,
): void {
  out.unsigned(from.unsigned() + 1);
  out.bytes(from.bytes.subarray(from.at, from.end));
  out.unsigned(plan.fuelName.length);
  out.bytes(Array.from(plan.fuelName, (char) => char.charCodeAt(0)));
  out.byte(3);
  out.unsigned(fuel);
}

const I32 = 0x7f;
const LOOP = 0x03;
const IF = 0x04;
const END = 0x0b;
const CALL = 0x10;
const DROP = 0x1a;
const LOCAL_GET = 0x20;
const LOCAL_TEE = 0x22;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const CONST = 0x41;
const LESS = 0x48;
const SUBTRACT = 0x6b;
const SHIFT_RIGHT = 0x76;
const NO_RESULT = 0x40;
const BULK = 0xfc;
/** `memory.init`, `memory.copy`, `memory.fill`: the length lies on top of the stack. */
const BULK_ON_MEMORY: ReadonlySet<number> = new Set([8, 10, 11]);
const BYTES_PER_UNIT_BITS = 6;

function meterCode(from: WasmReader, out: Output, module: ModuleFacts): void {
  const count = from.unsigned();
  out.unsigned(count);
  for (let at = 0; at < count; at += 1) {
    const size = from.unsigned();
    const body = new WasmReader(from.bytes, from.at, from.at + size);
    out.sized(() => meterFunction(body, out, module, module.parameters[at] ?? 0));
    from.skip(size);
  }
}

function meterFunction(
  body: WasmReader,
  out: Output,
  module: ModuleFacts,
  parameters: number,
): void {
  const length = parameters + copyLocals(body, out);
  out.bytes(module.chargeOne);
  const { bytes, end } = body;
  let copied = body.at;
  for (let at = copied; at < end; ) {
    const opcode = bytes[at];
    const next = nextInstruction(bytes, at);
    if (opcode === LOOP) {
      out.range(bytes, copied, next);
      out.bytes(module.chargeOne);
      copied = next;
    } else if (opcode === BULK && isOnMemory(body, at)) {
      out.range(bytes, copied, at);
      out.bytes(chargeLength(module, length));
      copied = at;
    }
    at = next;
  }
  out.range(bytes, copied, end);
}

const isOnMemory = ({ bytes, end }: WasmReader, at: number): boolean =>
  BULK_ON_MEMORY.has(new WasmReader(bytes, at + 1, end).unsigned());

/**
 * Adds one local, for lengths.
 *
 * @returns how many locals there were
 */
function copyLocals(body: WasmReader, out: Output): number {
  const groups = body.unsigned();
  out.unsigned(groups + 1);
  let locals = 0;
  for (let left = groups; left > 0; left -= 1) {
    const count = body.unsigned();
    out.unsigned(count);
    out.byte(body.byte());
    locals += count;
  }
  out.bytes([1, I32]);
  return locals;
}

const chargeLength = (module: ModuleFacts, local: number): number[] => [
  LOCAL_TEE,
  ...unsigned(local),
  ...charge(module, [LOCAL_GET, ...unsigned(local), CONST, BYTES_PER_UNIT_BITS, SHIFT_RIGHT]),
];

/** `fuel -= cost; if (fuel < 0) outOfFuel()`, leaving the stack as it is. */
const charge = (
  { fuel, outOfFuel }: Pick<ModuleFacts, 'fuel' | 'outOfFuel'>,
  cost: readonly number[],
): number[] => [
  ...[GLOBAL_GET, ...unsigned(fuel), ...cost, SUBTRACT, GLOBAL_SET, ...unsigned(fuel)],
  ...[GLOBAL_GET, ...unsigned(fuel), CONST, 0, LESS],
  ...[IF, NO_RESULT, CALL, ...unsigned(outOfFuel), DROP, END],
];

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** A growing binary; a section's size is written when it is known, in five bytes, as LEB128 allows. */
class Output {
  #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  bytes(values: ArrayLike<number>): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#at);
    this.#at += values.length;
  }

  range(source: Uint8Array, from: number, to: number): void {
    this.bytes(source.subarray(from, to));
  }

  unsigned(value: number): void {
    this.bytes(unsigned(value));
  }

  sized(write: () => void): void {
    this.#reserve(SIZE_BYTES);
    const sizeAt = this.#at;
    this.#at += SIZE_BYTES;
    write();
    const size = this.#at - sizeAt - SIZE_BYTES;
    for (let index = 0; index < SIZE_BYTES; index += 1) {
      const more = index < SIZE_BYTES - 1 ? 0x80 : 0;
      this.#bytes[sizeAt + index] = ((size >>> (7 * index)) & 0x7f) | more;
    }
  }

  result(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#at + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

const SIZE_BYTES = 5;

const times = <Value>(count: number, read: () => Value): Value[] =>
  Array.from({ length: count }, read);
