import type { StreamRecord } from '../../stores/stream-model.ts';
import type { InvokeResult } from '../lambda.ts';
import type { StreamMappingSpec } from './specs.ts';

export type GiveUpCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

export interface GivenUp {
  readonly records: readonly [StreamRecord, ...StreamRecord[]];
  readonly condition: GiveUpCondition;
  readonly invocations: number;
  /** The last answer; none for records that were never tried. */
  readonly result?: InvokeResult;
  readonly atMs: number;
}

/**
 * What a stream's on-failure destination is told of records that were given up: where they are, not
 * what they hold.
 *
 * @see Lambda Developer Guide, "Retain discarded batch records for a Kinesis Data Streams event
 *   source in Lambda"
 */
export function failureRecord(
  { records, condition, invocations, result, atMs }: GivenUp,
  spec: StreamMappingSpec,
  uuid: () => string,
): object {
  const [first] = records;
  const last = records.at(-1) ?? first;
  return {
    requestContext: {
      requestId: result?.requestId ?? uuid(),
      functionArn: spec.functionArn,
      condition,
      approximateInvokeCount: invocations,
    },
    ...(result && {
      responseContext: {
        statusCode: 200,
        executedVersion: '$LATEST',
        functionError: result.ok ? null : result.functionError,
      },
    }),
    version: '1.0',
    timestamp: new Date(atMs).toISOString(),
    KinesisBatchInfo: {
      shardId: first.shardId,
      startSequenceNumber: first.sequenceNumber,
      endSequenceNumber: last.sequenceNumber,
      approximateArrivalOfFirstRecord: new Date(first.arrivedAtMs).toISOString(),
      approximateArrivalOfLastRecord: new Date(last.arrivedAtMs).toISOString(),
      batchSize: records.length,
      streamArn: spec.sourceArn,
    },
  };
}
