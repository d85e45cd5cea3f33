import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createStreamMapping } from '../../../../local/runtime/event-source-mapping.ts';
import { createLambdaRuntime } from '../../../../local/runtime/lambda.ts';
import { systemClock } from '../../../../local/runtime/lambda-clock.ts';
import { createStreamStore } from '../../../../local/stores/stream-store.ts';
import { FUNCTION_ARN, ROLE_ARN, STREAM_ARN } from './stream-world.ts';

const SOURCE = `exports.handler = async ({ Records }) => {
  for (const { kinesis } of Records) {
    const text = Buffer.from(kinesis.data, 'base64').toString();
    if (text === 'kill') process.exit(1);
    console.log(text);
  }
};`;

it('feeds a real worker, through its crashes', async () => {
  const codeDirectory = await mkdtemp(join(tmpdir(), 'mapping-'));
  await writeFile(join(codeDirectory, 'handler.cjs'), SOURCE);
  const lines: string[] = [];
  const reports: object[] = [];
  const lambda = createLambdaRuntime({
    functions: [
      {
        name: 'ingest',
        arn: FUNCTION_ARN,
        roleArn: ROLE_ARN,
        handler: 'handler.handler',
        codeDirectory,
        timeoutSeconds: 5,
        memoryMb: 128,
        environment: {},
      },
    ],
    endpoint: 'http://127.0.0.1:1',
    credentialsOf: () => ({ accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' }),
    log: ({ level, message }) => void (level === 'info' && lines.push(message)),
  });
  const streams = createStreamStore({ now: Date.now });
  await streams.create({ name: 'uplinks', arn: STREAM_ARN, shardCount: 1, retentionHours: 24 });
  const mapping = createStreamMapping(
    {
      kind: 'stream',
      id: 'mapping-1',
      enabled: true,
      functionName: 'ingest',
      functionArn: FUNCTION_ARN,
      roleArn: ROLE_ARN,
      sourceArn: STREAM_ARN,
      streamName: 'uplinks',
      batchSize: 10,
      windowSeconds: 0,
      reportsItemFailures: false,
      filters: [],
      startingPosition: 'TRIM_HORIZON',
      parallelizationFactor: 1,
      bisectsOnError: true,
      maximumRetryAttempts: 0,
      maximumRecordAgeSeconds: -1,
      onFailureArn: 'arn:aws:sqs:eu-central-1:000000000000:failures',
    },
    {
      ...systemClock,
      streams,
      invoke: lambda.invoke,
      sendFailure: async (_arn, record) => void reports.push(record),
      authorize: () => ({ allowed: true, explanation: '' }),
      random: Math.random,
      uuid: randomUUID,
      log: () => {},
    },
  );
  mapping.start();
  const texts = ['a', 'kill', 'b', 'c'];
  await streams.put(
    'uplinks',
    texts.map((text) => ({ data: Buffer.from(text), partitionKey: 'k' })),
  );
  await mapping.idle();
  await mapping.stop();
  await lambda.close();
  await streams.close();
  await rm(codeDirectory, { recursive: true });
  expect(new Set(lines)).toEqual(new Set(['a', 'b', 'c']));
  expect(reports).toMatchObject([{ KinesisBatchInfo: { batchSize: 1 } }]);
});
