import * as z from 'zod';
import { type Operation, operation } from '../operation.ts';
import { shardPage } from './shard-page.ts';
import {
  encryptionOf,
  type KinesisDeps,
  members,
  needOn,
  seconds,
  streamMembers,
  streamNameOf,
  target,
} from './stream-call.ts';

const Input = members({
  ...streamMembers,
  Limit: z.int().min(1).max(10_000).optional(),
  ExclusiveStartShardId: z.string().optional(),
});

/** A stream and its shards, a hundred unless `Limit` says otherwise. */
export const describeStream = (deps: KinesisDeps): Operation =>
  operation({
    route: target('DescribeStream'),
    input: Input,
    needs: needOn(deps, 'DescribeStream'),
    run: ({ input }) => {
      const name = streamNameOf(input);
      const stream = deps.streams.describe(name);
      const { Limit = 100, ExclusiveStartShardId } = input;
      const { shards, more } = shardPage(deps.streams, name, ExclusiveStartShardId, Limit);
      return {
        StreamDescription: {
          StreamName: name,
          StreamARN: stream.arn,
          StreamStatus: 'ACTIVE',
          StreamModeDetails: { StreamMode: stream.mode },
          Shards: shards,
          HasMoreShards: more,
          RetentionPeriodHours: stream.retentionHours,
          StreamCreationTimestamp: seconds(stream.createdAtMs),
          EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
          ...encryptionOf(stream),
        },
      };
    },
  });
