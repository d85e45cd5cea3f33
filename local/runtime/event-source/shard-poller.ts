import { Buffer } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import type { FilterCandidate } from '../../core/events/filter-criteria.ts';
import type { StreamRecord } from '../../stores/stream-model.ts';
import type { StreamStore } from '../../stores/stream-store.ts';
import { createCheckpointTracker } from './checkpoint-tracker.ts';
import { backoffMs } from './deps.ts';
import { eventId, eventRecordBytes } from './kinesis-event.ts';
import { createLane } from './lane.ts';
import { createSignal } from './signal.ts';
import type { StreamMappingSpec } from './specs.ts';
import { startPosition } from './start-position.ts';
import { type BatchDeps, createBatchRunner } from './stream-batch.ts';

/** What a mapping uses of the streams. */
export type StreamSource = Pick<
  StreamStore,
  'describe' | 'shards' | 'read' | 'resolve' | 'onAppend' | 'checkpoint' | 'saveCheckpoint'
>;

export interface PollerOptions extends BatchDeps {
  readonly spec: StreamMappingSpec;
  readonly shardId: string;
  readonly streams: StreamSource;
  readonly passes: (candidate: FilterCandidate) => boolean;
  readonly maximumAgeMs: number;
  readonly stop: AbortSignal;
  /** Called whenever this poller may have become idle. */
  readonly onQuiet: () => void;
}

export interface ShardPoller {
  readonly wake: () => void;
  readonly isIdle: () => boolean;
  /** Resolves when what is known to be done is written down. */
  readonly saved: () => Promise<void>;
  readonly ended: Promise<void>;
}

/**
 * Reads one shard and spreads its records over lanes by partition key, so that one key stays in order.
 * What the filters drop counts as done. The checkpoint is the last record before which none is open.
 */
export function pollShard(options: PollerOptions): ShardPoller {
  const { spec, shardId, streams, stop } = options;
  const { streamName, parallelizationFactor, batchSize } = spec;
  const readAhead = Math.max(2 * batchSize * parallelizationFactor, 1000);
  const tracker = createCheckpointTracker();
  const signal = createSignal();
  let position = startPosition(options);
  let isParked = false;
  let save = Promise.resolve();

  const finish = (records: readonly StreamRecord[]): void => {
    const last = tracker.done(records.map(({ sequenceNumber }) => sequenceNumber));
    if (last !== undefined) {
      save = Promise.all([save, streams.saveCheckpoint(spec.id, shardId, last)]).then(() => {});
    }
    signal.notify();
    if (isIdle()) options.onQuiet();
  };

  const hasMore = (): boolean => streams.read(streamName, shardId, position, 1).length > 0;
  const isIdle = (): boolean => isParked && tracker.open() === 0 && !hasMore();

  const run = createBatchRunner({ ...options, done: finish });
  const lanes = Array.from({ length: parallelizationFactor }, () =>
    createLane({
      batchSize,
      windowMs: spec.windowSeconds * 1000,
      bytesOf: (record) => eventRecordBytes(record, spec),
      now: options.now,
      sleep: options.sleep,
      stop,
      run,
    }),
  );

  const park = async (): Promise<void> => {
    isParked = true;
    if (isIdle()) options.onQuiet();
    await signal.wait();
    isParked = false;
  };

  const accept = (records: readonly StreamRecord[]): void => {
    const dropped: StreamRecord[] = [];
    for (const record of records) {
      tracker.add(record.sequenceNumber);
      if (options.passes(candidate(record))) lanes[laneOf(record, lanes.length)]?.push(record);
      else dropped.push(record);
    }
    finish(dropped);
  };

  const poll = async (): Promise<void> => {
    while (!stop.aborted) {
      const room = readAhead - tracker.open();
      const records = room > 0 ? streams.read(streamName, shardId, position, room) : [];
      const last = records.at(-1);
      if (!last) {
        await park();
        continue;
      }
      position = { after: last.sequenceNumber };
      accept(records);
      await setImmediate();
    }
  };

  const pollOn = async (): Promise<void> => {
    for (let failures = 0; !stop.aborted; failures++) {
      try {
        await poll();
      } catch (error) {
        const message = `could not read ${streamName}: ${String(error)}`;
        options.log({ level: 'error', source: 'event-source', message, shardId });
        await options.sleep(backoffMs(failures, options.random()), stop);
      }
    }
  };

  stop.addEventListener('abort', signal.notify);
  const ended = Promise.all([pollOn(), ...lanes.map((lane) => lane.ended)]);
  return {
    wake: signal.notify,
    isIdle,
    saved: async () => await save,
    ended: ended.then(() => save),
  };
}

/** FNV-1a: which lane does not matter, only that one key always takes the same. */
function laneOf({ partitionKey }: StreamRecord, lanes: number): number {
  if (lanes === 1) return 0;
  let hash = 0x811c9dc5;
  for (let index = 0; index < partitionKey.length; index++) {
    hash = Math.imul(hash ^ partitionKey.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % lanes;
}

/** Reads the data as text only when a filter asks for it. */
const candidate = (record: StreamRecord): FilterCandidate => ({
  get content() {
    return Buffer.from(record.data).toString();
  },
  metadata: {
    partitionKey: record.partitionKey,
    sequenceNumber: record.sequenceNumber,
    approximateArrivalTimestamp: record.arrivedAtMs / 1000,
    eventID: eventId(record),
  },
});
