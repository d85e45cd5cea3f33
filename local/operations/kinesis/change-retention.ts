import * as z from 'zod';
import { RETENTION_HOURS } from '../../core/kinesis/limits.ts';
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
  RetentionPeriodHours: z.int().min(RETENTION_HOURS.least).max(RETENTION_HOURS.most),
});

/** `IncreaseStreamRetentionPeriod` or `DecreaseStreamRetentionPeriod`; each refuses to do the other's work. */
export const changeRetention = (
  deps: KinesisDeps,
  name: 'IncreaseStreamRetentionPeriod' | 'DecreaseStreamRetentionPeriod',
): Operation =>
  operation({
    route: target(name),
    input: Input,
    needs: needOn(deps, name),
    run: async ({ input }) => {
      const stream = deps.streams.describe(streamNameOf(input));
      const change = input.RetentionPeriodHours - stream.retentionHours;
      if (name.startsWith('Increase') ? change < 0 : change > 0) {
        throw new AwsError(
          'InvalidArgumentException',
          `${name} to ${input.RetentionPeriodHours} hours: ${stream.name} has ${stream.retentionHours}.`,
        );
      }
      await deps.streams.create({ ...stream, retentionHours: input.RetentionPeriodHours });
    },
  });
