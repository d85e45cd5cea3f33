import * as z from 'zod';
import { REQUEST_LIMITS } from '../../core/kinesis/limits.ts';
import type { PutResult } from '../../stores/stream-store.ts';
import { AwsError, type Operation, operation } from '../operation.ts';
import { newRecord, type RecordInput, recordMembers, sizeOf } from './records.ts';
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
  Records: z.array(members(recordMembers)).min(1).max(REQUEST_LIMITS.putRecords),
});

/** Puts up to 500 records, each of which may fail alone. */
export const putRecords = (deps: KinesisDeps): Operation =>
  operation({
    route: target('PutRecords'),
    input: Input,
    needs: (input) => [
      ...needOn(deps, 'PutRecords')(input),
      ...keyNeed(deps, streamNameOf(input), 'GenerateDataKey'),
    ],
    denialCode,
    partialFailures: true,
    run: async ({ input, failIndexes = [] }) => {
      const name = streamNameOf(input);
      const { EncryptionType } = encryptionOf(deps.streams.describe(name));
      refuseSurplus(input.Records);
      const failing = new Set(failIndexes);
      const put = await deps.streams.put(
        name,
        input.Records.filter((_, at) => !failing.has(at)).map(newRecord),
      );
      const taken = put.values();
      const results = input.Records.map((_, at) =>
        failing.has(at) ? THROTTLED : (taken.next().value ?? THROTTLED),
      );
      return {
        FailedRecordCount: results.filter((result) => 'errorCode' in result).length,
        Records: results.map(entryOf),
        EncryptionType,
      };
    },
  });

/** What an injected fault makes of a record. */
const THROTTLED: PutResult = {
  errorCode: 'ProvisionedThroughputExceededException',
  errorMessage: 'Rate exceeded, by an injected fault.',
};

const entryOf = (result: PutResult) =>
  'errorCode' in result
    ? { ErrorCode: result.errorCode, ErrorMessage: result.errorMessage }
    : { SequenceNumber: result.sequenceNumber, ShardId: result.shardId };

function refuseSurplus(records: readonly RecordInput[]): void {
  const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
  if (bytes <= REQUEST_LIMITS.putBytes) return;
  const message = `Records exceed the request limit: they have ${bytes} bytes, ${REQUEST_LIMITS.putBytes} are allowed.`;
  throw new AwsError('InvalidArgumentException', message);
}
