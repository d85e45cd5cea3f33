import { REQUEST_LIMITS } from '../../core/kinesis/limits.ts';
import { type Operation, operation } from '../operation.ts';
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

/** A stream without its shards. */
export const describeStreamSummary = (deps: KinesisDeps): Operation =>
  operation({
    route: target('DescribeStreamSummary'),
    input: members(streamMembers),
    needs: needOn(deps, 'DescribeStreamSummary'),
    run: ({ input }) => {
      const stream = deps.streams.describe(streamNameOf(input));
      return {
        StreamDescriptionSummary: {
          StreamName: stream.name,
          StreamARN: stream.arn,
          StreamStatus: 'ACTIVE',
          StreamModeDetails: { StreamMode: stream.mode },
          RetentionPeriodHours: stream.retentionHours,
          StreamCreationTimestamp: seconds(stream.createdAtMs),
          EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
          ...encryptionOf(stream),
          OpenShardCount: stream.shardCount,
          ConsumerCount: 0,
          MaxRecordSizeInKiB: REQUEST_LIMITS.recordBytes / 1024,
        },
      };
    },
  });
