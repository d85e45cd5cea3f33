import { setImmediate } from 'node:timers/promises';
import type { Log } from '../../core/log.ts';
import type { StreamRecord } from '../../stores/stream-model.ts';
import { backoffMs, type Mapping, type MappingState } from '../event-source/deps.ts';
import type { StreamSource } from '../event-source/shard-poller.ts';
import { createSignal } from '../event-source/signal.ts';
import { startPosition } from '../event-source/start-position.ts';
import type { Clock } from '../lambda-clock.ts';

export interface StreamSourceSpec {
  readonly deliveryStream: string;
  readonly streamName: string;
}

export interface StreamSourceDeps extends Pick<Clock, 'sleep'> {
  readonly streams: StreamSource;
  /** Resolves once the records are where they belong; rejects to be asked again. */
  readonly deliver: (records: readonly StreamRecord[]) => Promise<void>;
  /** The first grant that its roles lack, in words. */
  readonly missingGrant: () => string | undefined;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly log: Log;
}

const MOST_RECORDS = 500;

/**
 * Reads a Kinesis stream for a delivery stream, from where it ended when it was created, each shard in order and at
 * least once.
 *
 * @see Amazon Data Firehose Developer Guide, Configure Kinesis Data Streams as source
 */
export function createStreamSource(
  { deliveryStream, streamName }: StreamSourceSpec,
  { streams, deliver, missingGrant, sleep, random, log }: StreamSourceDeps,
): Mapping {
  const spec = {
    id: `firehose:${deliveryStream}`,
    streamName,
    startingPosition: 'LATEST',
  } as const;
  let state: MappingState = { status: 'stopped' };
  let stop = new AbortController();
  let shards = new Map<string, Shard>();
  let stopListening = () => {};
  let ended = Promise.resolve();
  const waiting: (() => void)[] = [];

  const isQuiet = (): boolean => [...shards.values()].every((shard) => shard.isIdle());
  const releaseWaiting = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };

  const follow = (shardId: string, signal: AbortSignal): Shard => {
    const wake = createSignal();
    let position = startPosition({ spec, shardId, streams, log });
    let isParked = false;
    const read = (most: number) => streams.read(streamName, shardId, position, most);
    const isIdle = () => isParked && read(1).length === 0;

    const step = async (): Promise<void> => {
      const records = read(MOST_RECORDS);
      const last = records.at(-1);
      if (last === undefined) {
        isParked = true;
        if (isQuiet()) releaseWaiting();
        await wake.wait();
        isParked = false;
        return;
      }
      await deliver(records);
      position = { after: last.sequenceNumber };
      await streams.saveCheckpoint(spec.id, shardId, last.sequenceNumber);
      await setImmediate();
    };

    const run = async (): Promise<void> => {
      for (let failures = 0; !signal.aborted; ) {
        try {
          await step();
          failures = 0;
        } catch (error) {
          const message = `${deliveryStream} could not deliver from ${streamName}: ${String(error)}`;
          log({ level: 'error', source: 'firehose', message, shardId });
          await sleep(backoffMs(failures++, random()), signal);
        }
      }
    };

    signal.addEventListener('abort', wake.notify);
    // once all shards are known, as the first to find nothing asks whether the others did
    return { wake: wake.notify, isIdle, ended: setImmediate().then(run) };
  };

  return {
    start() {
      if (state.status !== 'stopped') return;
      const problem = missingGrant();
      if (problem !== undefined) {
        state = { status: 'failed', problem };
        log({ level: 'error', source: 'firehose', message: problem });
        return;
      }
      state = { status: 'running' };
      stop = new AbortController();
      const { signal } = stop;
      shards = new Map(streams.shards(streamName).map((id) => [id, follow(id, signal)]));
      ended = Promise.all(Array.from(shards.values(), (shard) => shard.ended)).then(() => {});
      stopListening = streams.onAppend((name, shardId) => {
        if (name === streamName) shards.get(shardId)?.wake();
      });
    },

    async stop() {
      if (state.status !== 'running') return;
      stopListening();
      stop.abort();
      await ended;
      shards = new Map();
      state = { status: 'stopped' };
      releaseWaiting();
    },

    async idle() {
      if (!isQuiet()) await new Promise<void>((resolve) => waiting.push(resolve));
    },

    state: () => state,
  };
}

interface Shard {
  readonly wake: () => void;
  readonly isIdle: () => boolean;
  readonly ended: Promise<void>;
}
