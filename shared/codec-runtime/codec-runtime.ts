import { type Answer, readAnswer } from './answer.ts';
import {
  ANSWER_LIMIT_CHARS,
  type Budget,
  LOAD_BUDGET,
  MESSAGE_BUDGET,
  SOURCE_LIMIT_BYTES,
} from './budget.ts';
import { CodecFault } from './codec-fault.ts';
import type { Pointer } from './engine/exports.ts';
import { apply, BaseImage, type Difference } from './engine/image.ts';
import { compileEngine, Machine } from './engine/machine.ts';
import { prelude } from './sandbox/prelude.ts';
import type { Task } from './sandbox/runner.ts';

/** A codec whose top level has run once; opaque to all but the runtime that loaded it. */
export interface Codec {
  /** Which functions of TS013 it offers, as itself or by an older convention. */
  readonly functions: ReadonlySet<string>;
  /** What holding it costs. */
  readonly sizeBytes: number;
}

/** What a codec's function is called with; `bytes` becomes a plain array, a numeric `recvTime` a Date. */
export interface Input {
  readonly bytes?: readonly number[];
  readonly fPort?: number;
  /** Milliseconds since the Unix epoch, or a text that is passed as it is. */
  readonly recvTime?: number | string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
  /** Whether `normalizeUplink`, where there is one, gets the data afterwards. */
  readonly normalize?: boolean;
}

interface LoadedCodec extends Codec {
  readonly source: string;
  readonly difference: Difference;
  /** Its top level asked for the time, so it has to run again at each message's. */
  readonly isTimed: boolean;
}

/** Room on the heap of which an ordinary message has enough, so that the memory need not grow for it. */
const HEAP_ROOM_BYTES = 192 * 1024;
/** A larger machine is left behind when a codec needs it no more: what is beyond an image has to be cleared each time. */
const KEPT_BYTES = 4 * 1024 * 1024;

/**
 * Runs codecs of device vendors, each message in a state that no other message has touched: after a codec's top level
 * has run, the memory of the engine is kept, and written back before every message. Nothing of ours is in reach of a
 * codec, and its clock stands at the message's time of receipt.
 *
 * One runtime serves one thread; nothing in it waits, so its calls cannot overlap.
 *
 * @see LoRa Alliance TS013-1.0.0, Payload Codec API
 */
export class CodecRuntime {
  readonly #module: WebAssembly.Module;
  readonly #clock: () => number;
  readonly #base: BaseImage;
  readonly #run: Pointer;
  #machine: Machine;
  #isFit = true;

  /**
   * @param engine  `quickjs.wasm` of the package quickjs-wasi
   * @param clock   milliseconds that only go forward, for deadlines
   */
  constructor(engine: Uint8Array, clock: () => number) {
    this.#module = compileEngine(engine);
    this.#clock = clock;
    this.#machine = new Machine(this.#module, clock);
    this.#machine.boot(LOAD_BUDGET);
    this.#run = this.#machine.within(LOAD_BUDGET, () => {
      const run = this.#machine.evaluate(prelude(), 'prelude');
      this.#machine.reserve(HEAP_ROOM_BYTES);
      return run;
    });
    this.#base = new BaseImage(this.#machine);
    this.#warmUp();
  }

  /**
   * Runs a codec's top level.
   *
   * @throws {CodecFault} when it does not run, or not within its budget
   */
  load(source: string, budget: Budget = LOAD_BUDGET): Codec {
    const size = Buffer.byteLength(source);
    if (size > SOURCE_LIMIT_BYTES) {
      throw new CodecFault(
        'CODEC_UNLOADABLE',
        `its source has ${size} bytes, ${SOURCE_LIMIT_BYTES} fit`,
      );
    }
    if (this.#machine.sizeBytes > this.#base.sizeBytes) this.#isFit = false;
    return this.#fresh(Number.POSITIVE_INFINITY, () => {
      const machine = this.#machine;
      machine.nowMs = 0;
      machine.clockReads = 0;
      const bound = machine.within(budget, () => {
        machine.evaluate(source, FILE);
        const answer = this.#call('bind', {});
        machine.reserve(HEAP_ROOM_BYTES);
        return answer;
      });
      const difference = this.#base.difference(machine);
      const codec: LoadedCodec = {
        functions: new Set(bound.bound),
        sizeBytes: difference.bytes.length + source.length,
        source,
        difference,
        isTimed: machine.clockReads > 0,
      };
      return codec;
    });
  }

  /**
   * Calls one of a codec's functions.
   *
   * @param nowMs  what the codec takes for now
   * @throws {CodecFault} whatever goes wrong inside; the next call is not affected
   */
  run(
    codec: Codec,
    task: Exclude<Task, 'bind'>,
    input: Input,
    nowMs: number,
    budget: Budget = MESSAGE_BUDGET,
  ): Answer {
    const { source, difference, isTimed } = codec as LoadedCodec;
    return this.#fresh(difference.sizeBytes, () => {
      const machine = this.#machine;
      machine.nowMs = nowMs;
      if (isTimed) {
        machine.within(LOAD_BUDGET, () => {
          machine.evaluate(source, FILE);
          this.#call('bind', {});
        });
      } else apply(machine, difference);
      return machine.within(budget, () => this.#call(task, input));
    });
  }

  #call(task: Task, input: Input): Answer {
    const text = this.#machine.call(this.#run, task, JSON.stringify(input));
    if (text.length > 2 * ANSWER_LIMIT_CHARS) {
      throw new CodecFault(
        'CODEC_ANSWER_INVALID',
        `is longer than ${ANSWER_LIMIT_CHARS} characters`,
      );
    }
    return readAnswer(text);
  }

  /**
   * Does something in the base's state. A machine whose memory grew beyond its image is left behind afterwards:
   * memory cannot shrink, and the interpreter would take more each time.
   */
  #fresh<Result>(imageBytes: number, step: () => Result): Result {
    if (!this.#isFit || this.#machine.sizeBytes > Math.max(KEPT_BYTES, imageBytes)) {
      this.#machine = new Machine(this.#module, this.#clock);
    }
    this.#base.restore(this.#machine);
    const sizeBytes = Math.max(this.#machine.sizeBytes, imageBytes);
    try {
      return step();
    } finally {
      this.#isFit = this.#machine.sizeBytes <= sizeBytes;
    }
  }

  /** Compiles what the first message would otherwise wait for. */
  #warmUp(): void {
    const codec = this.load(WARM_UP);
    for (let at = 0; at < 3; at += 1) {
      this.run(codec, 'decodeUplink', { bytes: [at, 1, 2, 3], fPort: 1, recvTime: 0 }, 0);
    }
  }
}

const FILE = 'codec.js';

const WARM_UP = `
var units = { t: 'C', n: [1, 2, 3] };
function decodeUplink(input) {
  var data = { at: input.recvTime.toISOString(), text: '' };
  for (var i = 0; i < input.bytes.length; i++) {
    data['v' + i] = ((input.bytes[i] << 8) | 1) / 10;
    data.text += ('0' + input.bytes[i].toString(16)).slice(-2);
  }
  return { data: data, warnings: units.n.map(function (n) { return 'w' + n; }) };
}`;
