import * as z from 'zod';
import { AwsError, type Operation, operation } from '../operation.ts';
import { newRecord, recordMembers } from './records.ts';
import {
  denialCode,
  encryptionOf,
  type KinesisDeps,
  keyNeed,
  members,
  needOn,
  streamMembers,
  streamNameOf,
  target,
} from './stream-call.ts';

const Input = members({
  ...streamMembers,
  ...recordMembers,
  /** Sequence numbers of a shard always grow here, which is all that this member asks for. */
  SequenceNumberForOrdering: z.string().optional(),
});

/** Puts one record. */
export const putRecord = (deps: KinesisDeps): Operation =>
  operation({
    route: target('PutRecord'),
    input: Input,
    needs: (input) => [
      ...needOn(deps, 'PutRecord')(input),
      ...keyNeed(deps, streamNameOf(input), 'GenerateDataKey'),
    ],
    denialCode,
    run: async ({ input }) => {
      const name = streamNameOf(input);
      const { EncryptionType } = encryptionOf(deps.streams.describe(name));
      const [result] = await deps.streams.put(name, [newRecord(input)]);
      if (result === undefined) throw new Error(`${name} gave no result for a record`);
      if ('errorCode' in result) {
        const status = result.errorCode === 'InternalFailure' ? 500 : 400;
        throw new AwsError(result.errorCode, result.errorMessage, status);
      }
      return {
        ShardId: result.shardId,
        SequenceNumber: result.sequenceNumber,
        EncryptionType,
      };
    },
  });
