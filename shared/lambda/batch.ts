import { type DeadLetter, deadLetter } from '../core/dead-letter.ts';
import { RejectedError } from '../core/errors.ts';
import type { Log } from './log.ts';
import { type StreamRecord, streamRecords } from './stream-event.ts';

/** What Lambda takes as a partial failure: an empty list is success. */
export interface BatchResponse {
  readonly batchItemFailures: { readonly itemIdentifier: string }[];
}

/** The part of Lambda's context that a batch needs. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** A value on its way through the batch, and the record it came from. */
export interface Held<Value> {
  readonly record: StreamRecord;
  readonly value: Value;
}

interface Failure<Item> {
  readonly item: Item;
  readonly reason: string;
}

interface DeadLetters {
  send(
    letters: readonly DeadLetter[],
    timeLeft: () => number,
  ): Promise<readonly Failure<DeadLetter>[]>;
}

export interface BatchDeps {
  readonly deadLetters: DeadLetters;
  readonly log: Log;
  readonly now: () => number;
}

/** Kept back from the work, for dead letters: what was found to be poison shall not be found again. */
const DEAD_LETTERS_MS = 1_000;

/**
 * A batch of a stream, walked in steps over all its records, where each record can fall out by itself:
 *
 * - *rejected*: no retry can mend it. It goes to the dead letters, whole, and is done; if it cannot, it has failed.
 * - *failed*: it may work later. From it on, the records of its device (partition key) are held back, so that
 *   nothing of the device is passed over; other devices go on.
 *
 * Lambda takes the lowest failed sequence number as its checkpoint and replays everything from there, also what
 * succeeded or was rejected behind it. So every step must be harmless when repeated. All failures are reported,
 * as the count of them is what the log and a reader of the response want to know.
 */
export class Batch {
  readonly records: readonly Held<StreamRecord>[];
  readonly #deps: BatchDeps;
  readonly #functionName: string;
  readonly #invocation: Invocation;
  readonly #positions: ReadonlyMap<StreamRecord, number>;
  readonly #rejected = new Map<StreamRecord, RejectedError>();
  readonly #failed = new Map<StreamRecord, string>();
  /** Position of a device's first failure. */
  readonly #stopped = new Map<string, number>();

  /** @throws {Error} when the event is not a Kinesis stream's */
  constructor(functionName: string, event: unknown, invocation: Invocation, deps: BatchDeps) {
    const records = streamRecords(event);
    this.records = records.map((record) => ({ record, value: record }));
    this.#positions = new Map(records.map((record, position) => [record, position]));
    this.#functionName = functionName;
    this.#invocation = invocation;
    this.#deps = deps;
  }

  /** Milliseconds for the work: what remains of the invocation, without the share of the dead letters. */
  readonly timeLeft = (): number => this.#invocation.getRemainingTimeInMillis() - DEAD_LETTERS_MS;

  /**
   * Takes each value one step on, in order.
   *
   * @param step  gives the next value or values; none for a record that is another's. A `RejectedError` rejects the
   *              record; any other error is a fault of ours, and fails it.
   */
  each<In, Out>(
    values: readonly Held<In>[],
    step: (value: In, record: StreamRecord) => readonly Out[],
  ): Held<Out>[] {
    const next: Held<Out>[] = [];
    for (const { record, value } of values) {
      if (this.#isHeldBack(record)) continue;
      try {
        for (const out of step(value, record)) next.push({ record, value: out });
      } catch (error) {
        this.#fallOut(record, error);
      }
    }
    return next;
  }

  /**
   * Marks what a write left over as failed.
   *
   * @returns the values that go on
   */
  without<Value>(
    values: readonly Held<Value>[],
    failures: readonly Failure<Value>[],
  ): readonly Held<Value>[] {
    if (failures.length === 0) return values;
    const reasons = new Map(failures.map(({ item, reason }) => [item, reason]));
    for (const { record, value } of values) {
      const reason = reasons.get(value);
      if (reason !== undefined) this.#fail(record, reason);
    }
    return values.filter(({ record }) => !this.#isHeldBack(record));
  }

  /**
   * Of these, what is done with: those before the first failure of the batch, which Lambda never hands out again. All
   * others come again, whatever became of them.
   */
  settled<Value>(values: readonly Held<Value>[]): readonly Held<Value>[] {
    if (this.#stopped.size === 0) return values;
    const first = Math.min(...this.#stopped.values());
    return values.filter(({ record }) => this.#position(record) < first);
  }

  /** Sends the dead letters, says what happened, and answers Lambda. */
  async finish(): Promise<BatchResponse> {
    await this.#bury();
    this.#holdBackRest();
    const failures = this.records.filter(({ record }) => this.#failed.has(record));
    this.#report();
    return {
      batchItemFailures: failures.map(({ record }) => ({ itemIdentifier: record.sequenceNumber })),
    };
  }

  async #bury(): Promise<void> {
    const { deadLetters, now } = this.#deps;
    const rejected = [...this.#rejected].sort(([one], [other]) => this.#order(one, other));
    if (rejected.length === 0) return;
    const origins = new Map<DeadLetter, StreamRecord>();
    for (const [record, error] of rejected) {
      origins.set(deadLetter(this.#functionName, record, error, now()), record);
    }
    const timeLeft = () => this.#invocation.getRemainingTimeInMillis();
    for (const { item, reason } of await deadLetters.send([...origins.keys()], timeLeft)) {
      const record = origins.get(item);
      if (record !== undefined) this.#fail(record, `dead letter: ${reason}`);
    }
  }

  #fallOut(record: StreamRecord, error: unknown): void {
    if (error instanceof RejectedError) {
      this.#rejected.set(record, error);
      return;
    }
    this.#deps.log('error', 'a step failed', { sequenceNumber: record.sequenceNumber, error });
    this.#fail(record, error instanceof Error ? error.name : 'unknown');
  }

  #fail(record: StreamRecord, reason: string): void {
    this.#failed.set(record, reason);
    const first = this.#stopped.get(record.partitionKey) ?? Number.POSITIVE_INFINITY;
    this.#stopped.set(record.partitionKey, Math.min(first, this.#position(record)));
  }

  #isHeldBack(record: StreamRecord): boolean {
    return (
      this.#position(record) >= (this.#stopped.get(record.partitionKey) ?? Number.POSITIVE_INFINITY)
    );
  }

  /** Records behind their device's failure were left out of the steps after it: they are not done. */
  #holdBackRest(): void {
    for (const { record } of this.records) {
      if (!this.#isHeldBack(record) || this.#failed.has(record)) continue;
      this.#failed.set(record, 'behind a failed record of its device');
    }
  }

  #report(): void {
    const { log } = this.#deps;
    for (const [record, { code, issues }] of this.#rejected) {
      if (this.#failed.has(record)) continue;
      log('warn', 'record rejected', { code, issues, sequenceNumber: record.sequenceNumber });
    }
    if (this.#failed.size > 0) {
      const reasons = Object.fromEntries(countBy([...this.#failed.values()]));
      log('error', 'records failed and will be replayed', { failed: this.#failed.size, reasons });
    }
    log('debug', 'batch done', {
      records: this.records.length,
      rejected: this.#rejected.size,
      failed: this.#failed.size,
    });
  }

  #position(record: StreamRecord): number {
    return this.#positions.get(record) ?? 0;
  }

  #order(one: StreamRecord, other: StreamRecord): number {
    return this.#position(one) - this.#position(other);
  }
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
