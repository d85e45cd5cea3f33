import { describe, expect, it } from '@jest/globals';
import type { ResolvedResource } from '../../../local/core/template/index.ts';
import { declaredFunction } from '../../../local/runtime/lambda-function.ts';

const declare = (changes: object = {}) => {
  const resource: ResolvedResource = {
    logicalId: 'Ingest',
    type: 'AWS::Lambda::Function',
    name: 'ingest',
    physicalId: 'ingest',
    arn: 'arn:aws:lambda:eu-central-1:000000000000:function:ingest',
    attributes: {},
    properties: {
      FunctionName: 'ingest',
      Role: 'arn:aws:iam::000000000000:role/ingest',
      Handler: 'functions/ingest/handler.handler',
      Runtime: 'nodejs24.x',
      Code: { S3Bucket: 'b', S3Key: 'serverless/tributary/dev/1-2026/ingest.zip' },
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'PassThrough' },
      ...changes,
    },
  };
  return declaredFunction(resource, (artifact) => `/packages/${artifact}`);
};

describe('a declared function', () => {
  it('has the defaults of Lambda, and its package by name', () => {
    expect(declare()).toEqual({
      artifact: 'ingest.zip',
      spec: {
        name: 'ingest',
        arn: 'arn:aws:lambda:eu-central-1:000000000000:function:ingest',
        roleArn: 'arn:aws:iam::000000000000:role/ingest',
        handler: 'functions/ingest/handler.handler',
        codeDirectory: '/packages/ingest.zip',
        timeoutSeconds: 3,
        memoryMb: 128,
        environment: {},
      },
    });
  });

  it('is read whole', () => {
    const { spec, deadLetterArn } = declare({
      Timeout: 30,
      MemorySize: 1024,
      ReservedConcurrentExecutions: 2,
      Environment: { Variables: { STAGE: 'dev', DAYS: 30, ON: true } },
      DeadLetterConfig: { TargetArn: 'arn:aws:sqs:eu-central-1:000000000000:q' },
    });
    expect({ spec, deadLetterArn }).toMatchObject({
      spec: {
        timeoutSeconds: 30,
        memoryMb: 1024,
        reservedConcurrency: 2,
        environment: { STAGE: 'dev', DAYS: '30', ON: 'true' },
      },
      deadLetterArn: 'arn:aws:sqs:eu-central-1:000000000000:q',
    });
  });

  it.each([
    {
      changes: { Runtime: 'python3.13' },
      says: 'Resources.Ingest: Runtime: only nodejs24.x is run',
    },
    { changes: { PackageType: 'Image' }, says: 'PackageType: only Zip packages are run' },
    { changes: { Layers: ['arn'] }, says: 'Layers: not supported' },
    { changes: { VpcConfig: {} }, says: 'VpcConfig: not supported' },
    { changes: { Timeout: 901 }, says: 'Timeout: ' },
    {
      changes: { Environment: { Variables: { AWS_REGION: 'x' } } },
      says: 'Environment.Variables.AWS_REGION: is a name Lambda keeps for itself',
    },
    {
      changes: { Environment: { Variables: { AWS_ENDPOINT_URL_S3: 'x' } } },
      says: 'Environment.Variables.AWS_ENDPOINT_URL_S3: would lead the function out of the laptop',
    },
  ])('of $changes is refused', ({ changes, says }) => {
    expect(() => declare(changes)).toThrow(says);
  });
});
