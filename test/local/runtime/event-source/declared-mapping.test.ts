import { describe, expect, it } from '@jest/globals';
import type { ResolvedResource } from '../../../../local/core/template/index.ts';
import { declaredMapping } from '../../../../local/runtime/event-source-mapping.ts';
import type { FunctionSpec } from '../../../../local/runtime/lambda.ts';

const FUNCTION = 'arn:aws:lambda:eu-central-1:000000000000:function:ingest';
const STREAM = 'arn:aws:kinesis:eu-central-1:000000000000:stream/uplinks';
const QUEUE = 'arn:aws:sqs:eu-central-1:000000000000:failures';

const spec: FunctionSpec = {
  name: 'ingest',
  arn: FUNCTION,
  roleArn: 'arn:aws:iam::000000000000:role/ingest',
  handler: 'a.b',
  codeDirectory: '',
  timeoutSeconds: 30,
  memoryMb: 128,
  environment: {},
};

const declare = (properties: object) => {
  const resource: ResolvedResource = {
    logicalId: 'Mapping',
    type: 'AWS::Lambda::EventSourceMapping',
    name: 'uuid-1',
    physicalId: 'uuid-1',
    attributes: {},
    properties: { FunctionName: FUNCTION, EventSourceArn: STREAM, ...properties },
  };
  return declaredMapping(resource, () => spec);
};

const common = {
  id: 'uuid-1',
  enabled: true,
  functionName: 'ingest',
  functionArn: FUNCTION,
  roleArn: spec.roleArn,
  windowSeconds: 0,
  reportsItemFailures: false,
  filters: [],
};

describe('a declared mapping', () => {
  it('of a stream has the defaults of Lambda', () => {
    expect(declare({ StartingPosition: 'TRIM_HORIZON' })).toEqual({
      ...common,
      kind: 'stream',
      sourceArn: STREAM,
      streamName: 'uplinks',
      batchSize: 100,
      startingPosition: 'TRIM_HORIZON',
      parallelizationFactor: 1,
      bisectsOnError: false,
      maximumRetryAttempts: -1,
      maximumRecordAgeSeconds: -1,
    });
  });

  it('of a stream is read whole', () => {
    expect(
      declare({
        StartingPosition: 'AT_TIMESTAMP',
        StartingPositionTimestamp: 1767225600.5,
        BatchSize: 500,
        MaximumBatchingWindowInSeconds: 5,
        ParallelizationFactor: 4,
        BisectBatchOnFunctionError: true,
        MaximumRetryAttempts: 3,
        MaximumRecordAgeInSeconds: 3600,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        FilterCriteria: { Filters: [{ Pattern: '{"data":{"a":[1]}}' }] },
        DestinationConfig: { OnFailure: { Destination: QUEUE } },
        Enabled: false,
      }),
    ).toMatchObject({
      enabled: false,
      startingPosition: { timestampMs: 1767225600500 },
      batchSize: 500,
      windowSeconds: 5,
      parallelizationFactor: 4,
      bisectsOnError: true,
      maximumRetryAttempts: 3,
      maximumRecordAgeSeconds: 3600,
      reportsItemFailures: true,
      filters: ['{"data":{"a":[1]}}'],
      onFailureArn: QUEUE,
    });
  });

  it('of a queue has the defaults of Lambda', () => {
    expect(declare({ EventSourceArn: QUEUE })).toEqual({
      ...common,
      kind: 'queue',
      sourceArn: QUEUE,
      queueName: 'failures',
      batchSize: 10,
      functionTimeoutSeconds: 30,
    });
  });

  it.each([
    { properties: {}, says: 'Resources.Mapping: StartingPosition: ' },
    { properties: { StartingPosition: 'LATEST', BatchSize: 10_001 }, says: 'BatchSize: ' },
    {
      properties: { StartingPosition: 'LATEST', TumblingWindowInSeconds: 30 },
      says: 'TumblingWindowInSeconds: tumbling windows are not supported',
    },
    {
      properties: { StartingPosition: 'LATEST', MaximumRecordAgeInSeconds: 30 },
      says: 'MaximumRecordAgeInSeconds: ',
    },
    {
      properties: { StartingPosition: 'AT_TIMESTAMP' },
      says: 'StartingPositionTimestamp: goes with AT_TIMESTAMP',
    },
    { properties: { StartingPosition: 'LATEST', Topics: ['t'] }, says: 'Topics: not supported' },
    {
      properties: {
        StartingPosition: 'LATEST',
        DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::b' } },
      },
      says: 'a destination on the laptop is',
    },
    {
      properties: {
        StartingPosition: 'LATEST',
        DestinationConfig: { OnFailure: { Destination: FUNCTION } },
      },
      says: "a stream's failures go to a queue or topic",
    },
    {
      properties: { EventSourceArn: `${QUEUE}.fifo` },
      says: 'is neither a stream nor a standard queue',
    },
    {
      properties: { EventSourceArn: 'arn:aws:dynamodb:eu-central-1:000000000000:table/t/stream/x' },
      says: 'is neither a stream nor a standard queue',
    },
    {
      properties: { EventSourceArn: QUEUE, BatchSize: 11 },
      says: 'BatchSize: above 10 takes a MaximumBatchingWindowInSeconds',
    },
    {
      properties: { EventSourceArn: QUEUE, BisectBatchOnFunctionError: true },
      says: 'BisectBatchOnFunctionError: not supported',
    },
    {
      properties: { EventSourceArn: QUEUE, ScalingConfig: { MaximumConcurrency: 1 } },
      says: 'ScalingConfig.MaximumConcurrency: ',
    },
  ])('of $properties is refused', ({ properties, says }) => {
    expect(() => declare(properties)).toThrow(says);
  });
});
