/** What one run inside the sandbox may take; whichever ends first ends it. */
export interface Budget {
  /** Units of fuel: about one for each loop and call inside the interpreter, fifty for a line of a codec. */
  readonly steps: number;
  /** Milliseconds on the clock, from when the codec begins: the second wall, for what steps undervalue. */
  readonly deadlineMs: number;
}

/** A codec's top level: some build tables. */
export const LOAD_BUDGET: Budget = { steps: 100_000_000, deadlineMs: 2_000 };

/**
 * One message. The slowest of a thousand codecs in use takes a fiftieth of these steps; on the slowest of machines
 * they are done before the deadline.
 */
export const MESSAGE_BUDGET: Budget = { steps: 30_000_000, deadlineMs: 1_000 };

/** What the interpreter may allocate for a codec and its message. */
export const HEAP_LIMIT_BYTES = 16 * 1024 * 1024;

/** Its linear memory: stack, tables, heap and what the heap wastes. */
export const MEMORY_LIMIT_PAGES = 416;

/** Nested calls inside the interpreter. */
export const STACK_LIMIT_BYTES = 256 * 1024;

/** An answer as JSON. */
export const ANSWER_LIMIT_CHARS = 128 * 1024;

/** A source, as text in UTF-8. */
export const SOURCE_LIMIT_BYTES = 512 * 1024;
