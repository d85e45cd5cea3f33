import * as z from 'zod';
import { REQUEST_LIMITS } from '../../core/kinesis/limits.ts';
import {
  decodeIterator,
  encodeIterator,
  type ShardIterator,
} from '../../core/kinesis/shard-iterator.ts';
import type { StreamRecord } from '../../stores/stream-store.ts';
import { AwsError, type Operation, operation } from '../operation.ts';
import { createReadThrottle } from './read-throttle.ts';
import {
  arnOf,
  denialCode,
  encryptionOf,
  type KinesisDeps,
  keyNeed,
  members,
  seconds,
  streamMembers,
  target,
} from './stream-call.ts';

const Input = members({
  ShardIterator: z.string().min(1).max(512),
  Limit: z.int().min(1).max(REQUEST_LIMITS.getRecords).optional(),
  StreamARN: streamMembers.StreamARN,
});

/** The records behind an iterator, and the iterator behind them. */
export function getRecords(deps: KinesisDeps): Operation {
  const { streams, now } = deps;
  const throttle = createReadThrottle(streams.limits, now);

  function run({ Limit = REQUEST_LIMITS.getRecords, ...input }: z.infer<typeof Input>) {
    const iterator = parseIterator(input.ShardIterator);
    if (now() > iterator.expiresAtMs) throw expired(iterator.expiresAtMs);
    const { stream, shardId, at } = iterator;
    const spend = throttle.admit(stream, shardId);
    const records = streams.read(stream, shardId, { at }, Limit);
    spend(records.reduce((bytes, { data }) => bytes + data.length, 0));
    const next = nextIterator(iterator, records.at(-1));
    const { EncryptionType } = encryptionOf(streams.describe(stream));
    return {
      Records: records.map((record) => entryOf(record, EncryptionType)),
      NextShardIterator: encodeIterator(next, now()),
      MillisBehindLatest: behindMs(next),
    };
  }

  function nextIterator(from: ShardIterator, last: StreamRecord | undefined): ShardIterator {
    if (last === undefined) return from;
    const after = { after: last.sequenceNumber };
    return { ...from, at: streams.resolve(from.stream, from.shardId, after) };
  }

  /** Age of the next record, 0 when there is none yet. */
  function behindMs({ stream, shardId, at }: ShardIterator): number {
    const [next] = streams.read(stream, shardId, { at }, 1);
    return next === undefined ? 0 : Math.max(0, now() - next.arrivedAtMs);
  }

  return operation({
    route: target('GetRecords'),
    input: Input,
    needs: ({ ShardIterator: text }) => {
      const { stream } = parseIterator(text);
      return [
        { action: 'kinesis:GetRecords', resource: arnOf(deps, stream) },
        ...keyNeed(deps, stream, 'Decrypt'),
      ];
    },
    denialCode,
    run: ({ input }) => run(input),
  });
}

function parseIterator(text: string) {
  const iterator = decodeIterator(text);
  if (iterator !== undefined) return iterator;
  throw new AwsError('InvalidArgumentException', 'Invalid ShardIterator.');
}

function expired(expiresAtMs: number): AwsError {
  const when = new Date(expiresAtMs).toISOString();
  const message = `Iterator expired at ${when}: it is good for five minutes. Get a new one with GetShardIterator.`;
  return new AwsError('ExpiredIteratorException', message);
}

const entryOf = (record: StreamRecord, EncryptionType: string) => ({
  SequenceNumber: record.sequenceNumber,
  ApproximateArrivalTimestamp: seconds(record.arrivedAtMs),
  Data: Buffer.from(record.data.buffer, record.data.byteOffset, record.data.length).toString(
    'base64',
  ),
  PartitionKey: record.partitionKey,
  EncryptionType,
});
