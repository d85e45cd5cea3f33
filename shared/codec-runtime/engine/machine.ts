import type { Budget } from '../budget.ts';
import { HEAP_LIMIT_BYTES, MEMORY_LIMIT_PAGES, STACK_LIMIT_BYTES } from '../budget.ts';
import { CodecFault } from '../codec-fault.ts';
import { checkExports, type EngineExports, type Pointer } from './exports.ts';
import { meter } from './metering.ts';

/** Fuel is handed out in slices; the clock is looked at between them. About a fifth of a millisecond. */
const SLICE = 50_000;
const PAGE_BYTES = 65_536;

/** @param binary  `quickjs.wasm` of the package quickjs-wasi */
export const compileEngine = (binary: Uint8Array): WebAssembly.Module =>
  new WebAssembly.Module(
    meter(binary, {
      outOfFuel: { module: 'env', name: 'host_interrupt' },
      fuelName: 'fuel',
      memoryLimitPages: MEMORY_LIMIT_PAGES,
    }),
  );

/**
 * One instance of the engine. It reaches nothing of ours: the clock is a number that we set, and whatever else it may
 * ask of its host is refused or empty.
 */
export class Machine {
  readonly #engine: EngineExports;
  readonly #clock: () => number;
  #steps = 0;
  #deadline = 0;
  #slice = 0;
  /** What the code inside takes for now, milliseconds since the Unix epoch. */
  nowMs = 0;
  /** How often it asked. */
  clockReads = 0;

  /** @param clock  milliseconds that only go forward */
  constructor(module: WebAssembly.Module, clock: () => number) {
    this.#clock = clock;
    this.#engine = checkExports(new WebAssembly.Instance(module, this.#imports()).exports);
  }

  get memory(): Uint8Array {
    return new Uint8Array(this.#engine.memory.buffer);
  }

  get stackPointer(): number {
    return this.#engine.__stack_pointer.value;
  }

  set stackPointer(value: number) {
    this.#engine.__stack_pointer.value = value;
  }

  get sizeBytes(): number {
    return this.#engine.memory.buffer.byteLength;
  }

  growTo(sizeBytes: number): void {
    const missing = Math.ceil((sizeBytes - this.sizeBytes) / PAGE_BYTES);
    if (missing > 0) this.#engine.memory.grow(missing);
  }

  /** Starts the interpreter. */
  boot(budget: Budget): void {
    this.within(budget, () => {
      this.#engine._initialize();
      if (this.#engine.qjs_init() !== 0) throw new Error('the engine did not start');
      this.#engine.qjs_set_memory_limit(HEAP_LIMIT_BYTES);
      this.#engine.qjs_set_max_stack_size(STACK_LIMIT_BYTES);
    });
  }

  /** Has the heap grow so far that so much is free at its end. */
  reserve(bytes: number): void {
    this.#engine.wasm_free(this.#engine.wasm_malloc(bytes));
  }

  /**
   * Runs a step under a budget. After a fault the machine is in no state to go on: its memory has to be restored.
   *
   * @throws {CodecFault} when the budget is spent or the interpreter breaks
   */
  within<Result>({ steps, deadlineMs }: Budget, step: () => Result): Result {
    this.#steps = steps;
    this.#deadline = this.#clock() + deadlineMs;
    this.#slice = 0;
    this.#refuel();
    try {
      return step();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError)
        throw new CodecFault('CODEC_CRASHED', error.message);
      if (error instanceof RangeError)
        throw new CodecFault('CODEC_CRASHED', 'calls are nested too deep');
      throw error;
    }
  }

  /**
   * Runs a script: global and sloppy, as a codec is written.
   *
   * @returns a handle to its last value
   * @throws {CodecFault} `CODEC_UNLOADABLE` with what it threw
   */
  evaluate(source: string, fileName: string): Pointer {
    const text = this.#write(source);
    const file = this.#write(fileName);
    const value = this.#engine.qjs_eval(text.at, text.length, file.at, 0);
    this.#engine.wasm_free(text.at);
    this.#engine.wasm_free(file.at);
    if (this.#engine.qjs_is_exception(value) !== 0) this.#rethrow('CODEC_UNLOADABLE');
    return value;
  }

  /** @returns what a function of two texts answers, a text */
  call(callee: Pointer, first: string, second: string): string {
    const values = this.#engine.wasm_malloc(8);
    const one = this.#newString(first);
    const other = this.#newString(second);
    const view = new DataView(this.#engine.memory.buffer);
    view.setUint32(values, one, true);
    view.setUint32(values + 4, other, true);
    const answer = this.#engine.qjs_call(callee, this.#engine.qjs_get_undefined(), 2, values);
    if (this.#engine.qjs_is_exception(answer) !== 0) this.#rethrow('CODEC_THREW');
    return this.#read(answer) ?? '';
  }

  #newString(text: string): Pointer {
    const { at, length } = this.#write(text);
    const value = this.#engine.qjs_new_string(at, length);
    this.#engine.wasm_free(at);
    return value;
  }

  #write(text: string): { readonly at: Pointer; readonly length: number } {
    const bytes = Buffer.from(text);
    const at = this.#engine.wasm_malloc(bytes.length + 1);
    if (at === 0) throw new CodecFault('CODEC_OUT_OF_MEMORY', 'there is no memory for its input');
    const { memory } = this;
    memory.set(bytes, at);
    memory[at + bytes.length] = 0;
    return { at, length: bytes.length };
  }

  #read(value: Pointer): string | undefined {
    const lengthAt = this.#engine.wasm_malloc(4);
    const at = this.#engine.qjs_get_string_len(value, lengthAt);
    if (at === 0 || lengthAt === 0) return undefined;
    const length = new DataView(this.#engine.memory.buffer).getUint32(lengthAt, true);
    return Buffer.from(this.#engine.memory.buffer, at, length).toString();
  }

  #rethrow(code: 'CODEC_UNLOADABLE' | 'CODEC_THREW'): never {
    const text = this.#read(this.#engine.qjs_get_exception()) ?? 'threw what has no text';
    if (/^InternalError: out of memory/.test(text)) {
      throw new CodecFault('CODEC_OUT_OF_MEMORY', `took more than ${HEAP_LIMIT_BYTES} bytes`);
    }
    throw new CodecFault(code, text.slice(0, TEXT_LIMIT_CHARS));
  }

  readonly #refuel = (): number => {
    this.#steps -= this.#slice;
    if (this.#steps <= 0) throw new CodecFault('CODEC_OUT_OF_STEPS', 'took more steps than it may');
    if (this.#clock() > this.#deadline) {
      throw new CodecFault('CODEC_OUT_OF_TIME', 'took longer than it may');
    }
    this.#slice = Math.min(SLICE, this.#steps);
    this.#engine.fuel.value = this.#slice;
    return 0;
  };

  readonly #tellTime = (_clock: number, _precision: bigint, at: Pointer): number => {
    this.clockReads += 1;
    const nanoseconds = BigInt(this.nowMs) * 1_000_000n;
    new DataView(this.#engine.memory.buffer).setBigUint64(at, nanoseconds, true);
    return 0;
  };

  /** @see WASI snapshot preview 1: 8 is EBADF */
  #imports(): WebAssembly.Imports {
    const nothing = (): number => 0;
    const refused = (): number => 8;
    return {
      env: {
        host_interrupt: this.#refuel,
        host_get_timezone_offset: nothing,
        host_promise_rejection: nothing,
        host_module_normalize: nothing,
        host_module_load: nothing,
        host_call: nothing,
      },
      wasi_snapshot_preview1: {
        clock_time_get: this.#tellTime,
        random_get: nothing,
        fd_close: refused,
        fd_fdstat_get: refused,
        fd_seek: refused,
        fd_write: refused,
      },
    };
  }
}

const TEXT_LIMIT_CHARS = 1_000;
