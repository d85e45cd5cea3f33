import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lambdaOperations } from '../../../../local/operations/lambda/index.ts';
import { createLambdaRuntime } from '../../../../local/runtime/lambda.ts';
import { clientOf, FUNCTION_KEY, serve } from '../endpoint.ts';

const SOURCE = `exports.handler = async (event, context) => {
  if (event.fail) throw new RangeError('as asked');
  console.log('ran', JSON.stringify(event));
  return { event, custom: context.clientContext ?? null };
}`;

const ARN = 'arn:aws:lambda:eu-central-1:000000000000:function:probe';

/** The real client, the real endpoint and a real worker. */
async function setup(denied: readonly string[] = []) {
  const codeDirectory = await mkdtemp(join(tmpdir(), 'invoke-'));
  await writeFile(join(codeDirectory, 'handler.cjs'), SOURCE);
  const lines: string[] = [];
  const lambda = createLambdaRuntime({
    functions: [
      {
        name: 'probe',
        arn: ARN,
        roleArn: 'arn:aws:iam::000000000000:role/probe',
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
  const endpoint = await serve(lambdaOperations(lambda), { denied });
  const close = async () => {
    await endpoint.close();
    await lambda.close();
    await rm(codeDirectory, { recursive: true });
  };
  return { lambda, endpoint, lines, close, client: new LambdaClient(clientOf(endpoint.url)) };
}

let world: Awaited<ReturnType<typeof setup>>;
beforeEach(async () => {
  world = await setup(['lambda:InvokeFunction']);
});
afterEach(() => world.close());

const invoke = (input: Partial<ConstructorParameters<typeof InvokeCommand>[0]> = {}) =>
  world.client.send(new InvokeCommand({ FunctionName: 'probe', Payload: '{"n":1}', ...input }));

describe('aws lambda invoke', () => {
  it.each(['probe', ARN, `${ARN}:$LATEST`])(
    'runs %s and answers what it returns',
    async (FunctionName) => {
      const { StatusCode, ExecutedVersion, FunctionError, Payload } = await invoke({
        FunctionName,
      });
      expect({ StatusCode, ExecutedVersion, FunctionError }).toEqual({
        StatusCode: 200,
        ExecutedVersion: '$LATEST',
        FunctionError: undefined,
      });
      expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({
        event: { n: 1 },
        custom: null,
      });
    },
  );

  it('passes the client context on', async () => {
    const ClientContext = Buffer.from('{"custom":{"a":1}}').toString('base64');
    const { Payload } = await invoke({ ClientContext });
    expect(JSON.parse(Payload?.transformToString() ?? '')).toMatchObject({
      custom: { custom: { a: 1 } },
    });
  });

  it('answers 200 and a function error when it fails', async () => {
    const { StatusCode, FunctionError, Payload } = await invoke({ Payload: '{"fail":true}' });
    expect({ StatusCode, FunctionError }).toEqual({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({
      errorType: 'RangeError',
      errorMessage: 'as asked',
      trace: expect.arrayContaining(['RangeError: as asked']),
    });
  });

  it('answers 202 before an event has run', async () => {
    expect(await invoke({ InvocationType: 'Event' })).toMatchObject({ StatusCode: 202 });
    await world.lambda.idle();
    expect(world.lines).toEqual(['ran {"n":1}']);
  });

  it('answers 204 to a dry run, and runs nothing', async () => {
    expect(await invoke({ InvocationType: 'DryRun' })).toMatchObject({ StatusCode: 204 });
    expect(world.lines).toEqual([]);
  });

  it.each([
    { input: { FunctionName: 'nobody' }, name: 'ResourceNotFoundException' },
    { input: { Payload: '{' }, name: 'InvalidRequestContentException' },
    { input: { LogType: 'Tail' as const }, name: 'InvalidParameterValueException' },
    { input: { Qualifier: 'live' }, name: 'InvalidParameterValueException' },
  ])('refuses $input with $name', async ({ input, name }) => {
    await expect(invoke(input)).rejects.toMatchObject({ name });
  });

  it('takes a function whose role may not invoke for what it is', async () => {
    const client = new LambdaClient(clientOf(world.endpoint.url, FUNCTION_KEY));
    await expect(client.send(new InvokeCommand({ FunctionName: 'probe' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    expect(world.endpoint.needs).toEqual([{ action: 'lambda:InvokeFunction', resource: ARN }]);
  });
});
