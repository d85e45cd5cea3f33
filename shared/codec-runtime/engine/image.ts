import type { Machine } from './machine.ts';

const PAGE_BYTES = 4_096;
/** Calls may use so much of the stack, and a little for what the interpreter does not count. */
const STACK_CLEARED_BYTES = 320 * 1024;

/** A machine's whole memory at a moment. The stack lies below everything else, and is empty then. */
export class BaseImage {
  readonly #bytes: Uint8Array;
  readonly #stackPointer: number;

  constructor(machine: Machine) {
    this.#bytes = machine.memory.slice();
    this.#stackPointer = machine.stackPointer;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  /** Writes everything back, whatever was done to the machine since. */
  restore(machine: Machine): void {
    machine.growTo(this.#bytes.length);
    machine.stackPointer = this.#stackPointer;
    const { memory } = machine;
    memory.fill(0, Math.max(0, this.#stackPointer - STACK_CLEARED_BYTES), this.#stackPointer);
    memory.set(this.#bytes.subarray(this.#stackPointer), this.#stackPointer);
    memory.fill(0, this.#bytes.length);
  }

  /** @returns what differs in the machine now */
  difference(machine: Machine): Difference {
    const { memory } = machine;
    const pages: number[] = [];
    for (let at = this.#stackPointer; at < memory.length; at += PAGE_BYTES) {
      if (!this.#isSame(memory, at)) pages.push(at);
    }
    const bytes = new Uint8Array(pages.length * PAGE_BYTES);
    pages.forEach((at, index) => {
      bytes.set(memory.subarray(at, at + PAGE_BYTES), index * PAGE_BYTES);
    });
    return { sizeBytes: memory.length, pages, bytes };
  }

  #isSame(memory: Uint8Array, at: number): boolean {
    const page = memory.subarray(at, at + PAGE_BYTES);
    const own = this.#bytes.subarray(at, at + PAGE_BYTES);
    if (own.length === page.length) return Buffer.compare(page, own) === 0;
    return page.every((byte) => byte === 0);
  }
}

/** The pages of 4 KiB in which a machine differs from a base. */
export interface Difference {
  readonly sizeBytes: number;
  readonly pages: readonly number[];
  readonly bytes: Uint8Array;
}

/** Brings a machine that was just restored to the base to where the difference was taken. */
export function apply(machine: Machine, { sizeBytes, pages, bytes }: Difference): void {
  machine.growTo(sizeBytes);
  const { memory } = machine;
  pages.forEach((at, index) => {
    memory.set(bytes.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES), at);
  });
}
