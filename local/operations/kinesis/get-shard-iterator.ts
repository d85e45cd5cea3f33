import * as z from 'zod';
import { encodeIterator } from '../../core/kinesis/shard-iterator.ts';
import type { Position } from '../../stores/stream-store.ts';
import { AwsError, type Operation, operation } from '../operation.ts';
import {
  type KinesisDeps,
  members,
  needOn,
  streamMembers,
  streamNameOf,
  target,
} from './stream-call.ts';

const Input = members({
  ...streamMembers,
  ShardId: z.string().min(1).max(128),
  ShardIteratorType: z.enum([
    'AT_SEQUENCE_NUMBER',
    'AFTER_SEQUENCE_NUMBER',
    'AT_TIMESTAMP',
    'TRIM_HORIZON',
    'LATEST',
  ]),
  StartingSequenceNumber: z.string().optional(),
  /** Seconds since the Unix epoch. */
  Timestamp: z.number().optional(),
});
type Input = z.infer<typeof Input>;

/** An iterator for a position of a shard, fixed as of now and good for five minutes. */
export const getShardIterator = (deps: KinesisDeps): Operation =>
  operation({
    route: target('GetShardIterator'),
    input: Input,
    needs: needOn(deps, 'GetShardIterator'),
    run: ({ input }) => {
      const stream = streamNameOf(input);
      const { ShardId: shardId } = input;
      const at = deps.streams.resolve(stream, shardId, positionOf(input, deps.now()));
      return { ShardIterator: encodeIterator({ stream, shardId, at }, deps.now()) };
    },
  });

function positionOf(input: Input, nowMs: number): Position {
  const { ShardIteratorType: type } = input;
  if (type === 'TRIM_HORIZON' || type === 'LATEST') return type;
  if (type === 'AT_TIMESTAMP') return { timestampMs: timestampOf(input, nowMs) };
  const sequenceNumber = input.StartingSequenceNumber;
  if (sequenceNumber === undefined) throw missing(type, 'StartingSequenceNumber');
  return type === 'AT_SEQUENCE_NUMBER' ? { at: sequenceNumber } : { after: sequenceNumber };
}

function timestampOf({ Timestamp }: Input, nowMs: number): number {
  if (Timestamp === undefined) throw missing('AT_TIMESTAMP', 'Timestamp');
  const timestampMs = Math.round(Timestamp * 1_000);
  if (timestampMs <= nowMs) return timestampMs;
  const message = `Timestamp ${new Date(timestampMs).toISOString()} is in the future.`;
  throw new AwsError('InvalidArgumentException', message);
}

const missing = (type: string, member: string): AwsError =>
  new AwsError('InvalidArgumentException', `${type} needs ${member}.`);
