import type { Operation } from '../operation.ts';
import { changeRetention } from './change-retention.ts';
import { createStream } from './create-stream.ts';
import { deleteStream } from './delete-stream.ts';
import { describeStream } from './describe-stream.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';
import { getRecords } from './get-records.ts';
import { getShardIterator } from './get-shard-iterator.ts';
import { listShards } from './list-shards.ts';
import { listStreams } from './list-streams.ts';
import { putRecord } from './put-record.ts';
import { putRecords } from './put-records.ts';
import type { KinesisDeps } from './stream-call.ts';

export type { KinesisDeps } from './stream-call.ts';

/** What the laptop has of Kinesis. Resharding, consumers, tags, channels and account settings it has not. */
export const kinesisOperations = (deps: KinesisDeps): Operation[] => [
  changeRetention(deps, 'DecreaseStreamRetentionPeriod'),
  changeRetention(deps, 'IncreaseStreamRetentionPeriod'),
  createStream(deps),
  deleteStream(deps),
  describeStream(deps),
  describeStreamSummary(deps),
  getRecords(deps),
  getShardIterator(deps),
  listShards(deps),
  listStreams(deps),
  putRecord(deps),
  putRecords(deps),
];
