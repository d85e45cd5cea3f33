import * as z from 'zod';
import { ON_DEMAND_SHARDS, RETENTION_HOURS } from '../../core/kinesis/limits.ts';
import { AwsError, type Operation, operation } from '../operation.ts';
import { arnOf, type KinesisDeps, members, needOn, streamName, target } from './stream-call.ts';

const Input = members({
  StreamName: streamName,
  ShardCount: z.int().min(1).max(10_000).optional(),
  StreamModeDetails: members({ StreamMode: z.enum(['PROVISIONED', 'ON_DEMAND']) }).optional(),
});

/** Makes a stream that is ACTIVE at once. */
export const createStream = (deps: KinesisDeps): Operation =>
  operation({
    route: target('CreateStream'),
    input: Input,
    needs: needOn(deps, 'CreateStream'),
    run: async ({ input: { StreamName, ShardCount, StreamModeDetails } }) => {
      if (deps.streams.has(StreamName)) {
        const message = `Stream ${StreamName} under account ${deps.accountId} already exists.`;
        throw new AwsError('ResourceInUseException', message);
      }
      const mode = StreamModeDetails?.StreamMode ?? 'PROVISIONED';
      await deps.streams.create({
        name: StreamName,
        arn: arnOf(deps, StreamName),
        mode,
        shardCount: shardCount(mode, ShardCount),
        retentionHours: RETENTION_HOURS.least,
      });
    },
  });

function shardCount(mode: 'PROVISIONED' | 'ON_DEMAND', asked: number | undefined): number {
  if (mode === 'ON_DEMAND' && asked === undefined) return ON_DEMAND_SHARDS;
  if (mode === 'PROVISIONED' && asked !== undefined) return asked;
  throw new AwsError(
    'ValidationException',
    `ShardCount is ${asked === undefined ? 'missing, and needed' : 'given, and not allowed'} in ${mode} mode.`,
  );
}
