import type { StreamRecord } from '../../stores/stream-model.ts';
import type { Clock } from '../lambda-clock.ts';
import { EVENT_LIMIT_BYTES } from './kinesis-event.ts';
import { createSignal } from './signal.ts';

export interface LaneOptions extends Clock {
  readonly batchSize: number;
  readonly windowMs: number;
  readonly bytesOf: (record: StreamRecord) => number;
  readonly run: (records: readonly StreamRecord[]) => Promise<void>;
  readonly stop: AbortSignal;
}

/** Records that are worked on strictly one batch after another. */
export interface Lane {
  readonly push: (record: StreamRecord) => void;
  /** Resolves once `stop` is aborted and the batch at hand has ended. */
  readonly ended: Promise<void>;
}

interface Waiting {
  readonly record: StreamRecord;
  readonly bytes: number;
  readonly sinceMs: number;
}

export function createLane(options: LaneOptions): Lane {
  const { batchSize, windowMs, stop } = options;
  const signal = createSignal();
  let waiting: Waiting[] = [];
  let waitingBytes = 0;

  const isFull = (): boolean => waiting.length >= batchSize || waitingBytes >= EVENT_LIMIT_BYTES;

  /** Waits until there is a batch: a full one, or what has come since the first record, a window ago. */
  const gather = async (): Promise<void> => {
    while (waiting.length === 0 && !stop.aborted) await signal.wait();
    const endsAtMs = (waiting[0]?.sinceMs ?? 0) + windowMs;
    const leftMs = endsAtMs - options.now();
    if (leftMs <= 0 || isFull()) return;
    const enough = new AbortController();
    // the alarm says that the window is over: timers may ring a millisecond before the clock shows it
    let isOver = false;
    const alarm = options.sleep(leftMs, enough.signal).then(() => {
      isOver = true;
      signal.notify();
    });
    while (!isFull() && !isOver && !stop.aborted) await signal.wait();
    enough.abort();
    await alarm;
  };

  const take = (): StreamRecord[] => {
    let [count, bytes] = [0, 0];
    for (const one of waiting) {
      if (count === batchSize || (count > 0 && bytes + one.bytes > EVENT_LIMIT_BYTES)) break;
      count += 1;
      bytes += one.bytes;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingBytes -= bytes;
    return taken.map(({ record }) => record);
  };

  const work = async (): Promise<void> => {
    while (!stop.aborted) {
      await gather();
      if (!stop.aborted) await options.run(take());
    }
  };

  stop.addEventListener('abort', signal.notify);
  return {
    push(record) {
      const bytes = options.bytesOf(record);
      waiting.push({ record, bytes, sinceMs: options.now() });
      waitingBytes += bytes;
      signal.notify();
    },
    ended: work(),
  };
}
