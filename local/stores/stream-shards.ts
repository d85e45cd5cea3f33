import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hashKeyOf, parseHashKey, shardIdOf, shardOfHashKey } from '../core/kinesis/hash-key.ts';
import {
  parseSequenceNumber,
  sequenceNumber,
  sequencePrefix,
} from '../core/kinesis/sequence-number.ts';
import { AwsError } from '../operations/operation.ts';
import { type Intake, limitedIntake, unlimitedIntake } from './stream-intake.ts';
import type {
  NewRecord,
  Position,
  PutFailure,
  PutResult,
  StreamDescription,
  StreamRecord,
} from './stream-model.ts';
import { ShardLog, type ShardLogOptions } from './stream-shard-log.ts';

const HOUR_MS = 3_600_000;

export interface StreamOptions extends Omit<ShardLogOptions, 'name' | 'directory' | 'onCommit'> {
  readonly now: () => number;
  readonly limits: boolean;
  /** Absent: memory only. */
  readonly folder?: string;
  readonly onAppend: (streamName: string, shardId: string) => void;
}

interface Shard {
  readonly id: string;
  readonly sequencePrefix: string;
  readonly log: ShardLog;
  readonly takes: Intake;
}

export type Stream = ReturnType<typeof openStream>;

/** One stream with its shards, which are made at their first use of `options.folder`. */
export function openStream(initial: StreamDescription, options: StreamOptions) {
  const { now, folder, onAppend } = options;
  let description = initial;
  const { name, shardCount, createdAtMs } = initial;
  const shards = Array.from({ length: shardCount }, (_, number) => openShard(number));

  function openShard(number: number): Shard {
    const id = shardIdOf(number);
    return {
      id,
      sequencePrefix: sequencePrefix(createdAtMs, number),
      takes: options.limits ? limitedIntake(now()) : unlimitedIntake,
      log: new ShardLog({
        ...options,
        name: `${name}/${id}`,
        ...(folder !== undefined && { directory: join(folder, id) }),
        onCommit: () => onAppend(name, id),
      }),
    };
  }

  const expiredAtMs = (): number => now() - description.retentionHours * HOUR_MS;

  function shardFor({ partitionKey, explicitHashKey }: NewRecord): Shard {
    const only = shards.length === 1 && explicitHashKey === undefined ? shards[0] : undefined;
    const shard =
      only ?? shards[shardOfHashKey(hashKeyFor(partitionKey, explicitHashKey), shardCount)];
    if (shard === undefined) throw new Error(`${name} has no shards`);
    return shard;
  }

  function shardNamed(shardId: string): Shard {
    const shard = shards.find(({ id }) => id === shardId);
    if (shard !== undefined) return shard;
    throw new AwsError(
      'ResourceNotFoundException',
      `Shard ${shardId} in stream ${name} does not exist; it has ${shards.map(({ id }) => id).join(', ')}.`,
    );
  }

  function append(record: NewRecord, nowMs: number): Appended {
    const shard = shardFor(record);
    if (!shard.takes(record.data.length + Buffer.byteLength(record.partitionKey), nowMs)) {
      return { failure: throughputExceeded(name, shard.id) };
    }
    return { shard, index: shard.log.append(record.partitionKey, record.data, nowMs) };
  }

  /** @returns the shards whose records did not get to the disk. */
  async function commit(appended: readonly Appended[]): Promise<ReadonlySet<Shard>> {
    const last = new Map<Shard, number>();
    for (const { shard, index } of appended) if (shard !== undefined) last.set(shard, index);
    const failed = new Set<Shard>();
    await Promise.all(
      Array.from(last, ([shard, index]) => shard.log.commit(index).catch(() => failed.add(shard))),
    );
    return failed;
  }

  function indexOf(shard: Shard, position: Position): number {
    if (position === 'TRIM_HORIZON') return 0;
    if (position === 'LATEST') return shard.log.nextReadable;
    if ('timestampMs' in position) return shard.log.indexAtTime(position.timestampMs);
    return 'at' in position
      ? indexInShard(shard, position.at)
      : indexInShard(shard, position.after) + 1;
  }

  /** Index of a sequence number; -1 for one of an earlier stream of this name, which begins anew. */
  function indexInShard(shard: Shard, sequence: string): number {
    const place = parseSequenceNumber(sequence);
    if (place !== undefined && place.createdAtMs < createdAtMs) return -1;
    if (sequence.startsWith(shard.sequencePrefix) && place !== undefined) return place.index;
    throw new AwsError(
      'InvalidArgumentException',
      `${sequence} is no sequence number of ${shard.id} in stream ${name}.`,
    );
  }

  return {
    describe: (): StreamDescription => description,

    /** Takes over what may change in a stream's life. */
    redefine(next: StreamDescription): void {
      if (next.shardCount !== shardCount) {
        throw new AwsError(
          'ResourceInUseException',
          `Stream ${name} is kept with ${shardCount} shards and cannot be resharded to ${next.shardCount}: delete it first.`,
        );
      }
      description = next;
    },

    shardIds: (): string[] => shards.map(({ id }) => id),

    /** Sequence number below all of a shard's records. */
    startingSequence: (shardId: string): string =>
      sequenceNumber(shardNamed(shardId).sequencePrefix, 0),

    /** Resolves when each record is on disk or has failed; results stand in the records' order. */
    async put(records: readonly NewRecord[]): Promise<PutResult[]> {
      const nowMs = now();
      const appended = records.map((record) => append(record, nowMs));
      const failed = await commit(appended);
      for (const { log } of shards) log.dropExpired(expiredAtMs());
      return appended.map(({ shard, index, failure }) => {
        if (shard === undefined) return failure;
        if (failed.has(shard)) return INTERNAL_FAILURE;
        return { shardId: shard.id, sequenceNumber: sequenceNumber(shard.sequencePrefix, index) };
      });
    },

    /** The sequence number at which reading from a position begins; its record may be yet to come. */
    resolve(shardId: string, position: Position): string {
      const shard = shardNamed(shardId);
      return sequenceNumber(shard.sequencePrefix, Math.max(0, indexOf(shard, position)));
    },

    read(shardId: string, from: Position, limit: number, maxBytes: number): StreamRecord[] {
      const shard = shardNamed(shardId);
      return shard.log
        .read(indexOf(shard, from), limit, maxBytes, expiredAtMs())
        .map(({ index, partitionKey, data, arrivedAtMs }) => ({
          sequenceNumber: sequenceNumber(shard.sequencePrefix, index),
          shardId,
          partitionKey,
          data,
          arrivedAtMs,
        }));
    },

    async close(): Promise<void> {
      await Promise.all(shards.map(({ log }) => log.close()));
    },

    /** Closes the stream and deletes its records. */
    async destroy(): Promise<void> {
      await Promise.all(shards.map(({ log }) => log.close()));
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

type Appended =
  | { readonly shard: Shard; readonly index: number; readonly failure?: never }
  | { readonly shard?: never; readonly index?: never; readonly failure: PutFailure };

const INTERNAL_FAILURE: PutFailure = {
  errorCode: 'InternalFailure',
  errorMessage: 'Internal service failure.',
};

const throughputExceeded = (stream: string, shardId: string): PutFailure => ({
  errorCode: 'ProvisionedThroughputExceededException',
  errorMessage: `Rate exceeded for shard ${shardId} in stream ${stream}: it takes 1,000 records and 1 MiB a second.`,
});

function hashKeyFor(partitionKey: string, explicit: string | undefined): bigint {
  const key = explicit === undefined ? hashKeyOf(partitionKey) : parseHashKey(explicit);
  if (key !== undefined) return key;
  throw new AwsError(
    'InvalidArgumentException',
    `Invalid ExplicitHashKey ${explicit}: it is a decimal number from 0 to 2^128 - 1.`,
  );
}
