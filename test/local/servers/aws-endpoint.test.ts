import { request } from 'node:http';
import { connect } from 'node:net';
import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import type { LogEntry } from '../../../local/core/log.ts';
import {
  AwsError,
  type Caller,
  HttpAnswer,
  type Operation,
  operation,
} from '../../../local/operations/operation.ts';
import { stsOperations } from '../../../local/operations/sts/index.ts';
import { type AwsEndpointOptions, createAwsEndpoint } from '../../../local/servers/aws-endpoint.ts';
import { startKinesis } from '../operations/kinesis/kinesis-world.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const FUNCTION: Caller = {
  kind: 'function',
  functionName: 'tributary-dev-ingest',
  roleArn: 'arn:aws:iam::000000000000:role/service/ingest-role',
};

const echo = operation({
  route: { target: 'Test_1.Echo' },
  input: z.object({ text: z.string().max(10) }),
  needs: ({ text }) => [{ action: 'test:Echo', resource: `arn:aws:test:::${text}` }],
  run: ({ input, caller }) => ({ Text: input.text, By: caller.kind }),
});
const broken = operation({
  route: { target: 'Test_1.Break' },
  input: z.object({}),
  needs: () => [],
  run: () => {
    throw new Error('password=hunter2');
  },
});
const getThing = operation({
  route: { service: 'iot', method: 'GET', path: '/things/{thingName}' },
  input: z.looseObject({}),
  needs: () => [],
  run: ({ input }) => ({ input }),
});
const getThisThing = operation({
  route: { service: 'iot', method: 'GET', path: '/things/this-one' },
  input: z.object({}),
  needs: () => [],
  run: () => ({ special: true }),
});
const publish = operation({
  route: { service: 'iotdata', method: 'POST', path: '/topics/{topic+}' },
  input: z.object({ topic: z.string(), qos: z.string(), payload: z.string(), kind: z.string() }),
  fromHttp: ({ labels, query, headers, body }) => ({
    ...labels,
    qos: query.get('qos'),
    payload: body.toString(),
    kind: headers['x-kind'],
  }),
  needs: () => [],
  run: ({ input }) => new HttpAnswer(202, { 'x-topic': input.topic }, JSON.stringify(input)),
});
const OPERATIONS: readonly Operation[] = [
  echo,
  broken,
  getThing,
  getThisThing,
  publish,
  ...stsOperations(),
];

async function start(options: Partial<AwsEndpointOptions> = {}) {
  const entries: LogEntry[] = [];
  const endpoint = createAwsEndpoint({
    operations: OPERATIONS,
    callerOf: (accessKeyId) => (accessKeyId === 'INGEST' ? FUNCTION : { kind: 'operator' }),
    authorize: () => ({ allowed: true, explanation: 'everyone may' }),
    now: () => 0,
    log: (entry) => entries.push(entry),
    ...options,
  });
  undo.push(endpoint.close);
  return { url: await endpoint.listen(0), endpoint, entries };
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** A request as written, without anything an SDK would add. */
const send = (url: string, { path = '/', method = 'POST', headers = {}, body = '' }: Sent) =>
  new Promise<{ status: number; headers: Record<string, unknown>; text: string }>(
    (resolve, reject) => {
      const call = request(new URL(url), { path, method, headers, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      call.on('error', reject);
      call.end(body);
    },
  );

const sendTo = (url: string, target: string, body: string, more: Record<string, string> = {}) =>
  send(url, {
    headers: {
      'x-amz-target': target,
      'content-type': 'application/x-amz-json-1.0',
      ...more,
    },
    body,
  });

const signedBy = (accessKeyId: string, service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/eu-central-1/${service}/aws4_request, SignedHeaders=host, Signature=00`,
});

describe('a JSON request', () => {
  it('is answered in the version of JSON it came in, with a request id', async () => {
    const { url } = await start();
    const answer = await sendTo(url, 'Test_1.Echo', '{"text":"hello"}');
    expect(answer).toMatchObject({ status: 200, text: '{"Text":"hello","By":"operator"}' });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-requestid': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it.each([
    { body: '{"text":', code: 'SerializationException', message: 'is not JSON' },
    { body: '["text"]', code: 'SerializationException', message: 'not an object' },
    { body: '{"text":7}', code: 'SerializationException', message: "at 'text'" },
    { body: '{}', code: 'ValidationException', message: "1 validation error detected: at 'text'" },
    { body: '', code: 'ValidationException', message: "at 'text'" },
    { body: '{"text":null}', code: 'ValidationException', message: "at 'text'" },
    { body: '{"text":"12345678901"}', code: 'ValidationException', message: '<=10 characters' },
    { body: `${'['.repeat(100_000)}`, code: 'SerializationException', message: 'is not JSON' },
  ])(
    'with the body $body.length bytes long is refused with $code',
    async ({ body, code, message }) => {
      const { url } = await start();
      const answer = await sendTo(url, 'Test_1.Echo', body);
      expect(answer.status).toBe(400);
      expect(answer.headers['x-amzn-errortype']).toBe(code);
      expect(JSON.parse(answer.text)).toEqual({
        __type: code,
        message: expect.stringContaining(message),
      });
    },
  );

  it('for an operation that is not there is refused by name, with what there is', async () => {
    const { url } = await start();
    const { text } = await sendTo(url, 'Test_1.Dance', '{}');
    expect(JSON.parse(text)).toEqual({
      __type: 'UnknownOperationException',
      message: 'The laptop does not have Test_1.Dance. Of Test_1 it has Break, Echo.',
    });
  });

  it('over the limit is refused when it was read to its end', async () => {
    const { url } = await start({ maxBodyBytes: 1_000 });
    const answer = await sendTo(url, 'Test_1.Echo', `{"text":"${'x'.repeat(5_000_000)}"}`);
    expect(answer.status).toBe(413);
    expect(answer.text).toContain('this endpoint takes 1000');
  });

  it.each([
    {
      header: { 'content-type': 'application/x-amz-cbor-1.1' },
      named: 'application/x-amz-cbor-1.1',
    },
    { header: { 'content-encoding': 'gzip' }, named: 'gzip' },
  ])('in $named is refused', async ({ header, named }) => {
    const { url } = await start();
    const answer = await sendTo(url, 'Test_1.Echo', '{"text":"a"}', header);
    expect(answer).toMatchObject({ status: 415, text: expect.stringContaining(named) });
  });

  it.each([
    { header: { origin: 'https://evil.example' } },
    { header: { host: 'evil.example:4566' } },
    { header: { host: '127.0.0.1.evil.example' } },
  ])('that a web page may have sent ($header) is refused', async ({ header }) => {
    const { url } = await start();
    const answer = await sendTo(url, 'Test_1.Echo', '{"text":"a"}', { ...header });
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('does not answer') });
  });

  it('that runs into a fault of ours learns its request id, and the log learns the rest', async () => {
    const { url, entries } = await start();
    const answer = await sendTo(url, 'Test_1.Break', '{}');
    expect(answer).toMatchObject({ status: 500, text: expect.stringContaining('InternalFailure') });
    expect(answer.text).toContain(String(answer.headers['x-amzn-requestid']));
    expect(answer.text).not.toContain('hunter2');
    expect(entries).toMatchObject([{ level: 'error', reason: expect.any(Error) }]);
  });

  it('fails as the operation says, with further members and the code of the query protocol', async () => {
    const failing = operation({
      route: { target: 'Test_1.Fail' },
      input: z.object({}),
      needs: () => [],
      run: () => {
        throw new AwsError('QueueDoesNotExist', 'No such queue.', 400, {
          queryCode: 'AWS.SimpleQueueService.NonExistentQueue',
          members: { QueueName: 'a' },
        });
      },
    });
    const { url } = await start({ operations: [failing] });
    const answer = await sendTo(url, 'Test_1.Fail', '{}');
    expect(answer.headers['x-amzn-query-error']).toBe(
      'AWS.SimpleQueueService.NonExistentQueue;Sender',
    );
    expect(JSON.parse(answer.text)).toEqual({
      __type: 'QueueDoesNotExist',
      message: 'No such queue.',
      QueueName: 'a',
    });
  });

  it("that breaks off in the middle is the client's affair", async () => {
    const { url, entries, endpoint } = await start();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"text":');
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await endpoint.close();
    expect(entries).toMatchObject([{ level: 'debug', code: 'RequestAbortedException' }]);
  });

  it('is understood when its first bytes come one by one', async () => {
    const { url } = await start();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const body = '{"text":"slow"}';
    const text = `POST / HTTP/1.1\r\nHost: localhost\r\nx-amz-target: Test_1.Echo\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
    for (const character of text) {
      socket.write(character);
      await new Promise(setImmediate);
    }
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toContain('{"Text":"slow","By":"operator"}');
  });
});

describe('a REST request', () => {
  it('finds its operation by service, method and path; labels and query become members', async () => {
    const { url } = await start();
    const answer = await send(url, {
      method: 'GET',
      path: '/things/probe%2F1?detail=all&thingName=other',
      headers: signedBy('ANY', 'iot'),
    });
    expect(JSON.parse(answer.text)).toEqual({ input: { thingName: 'probe/1', detail: 'all' } });
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('prefers the path with fewer labels', async () => {
    const { url } = await start();
    const answer = await send(url, { method: 'GET', path: '/things/this-one' });
    expect(JSON.parse(answer.text)).toEqual({ special: true });
  });

  it('is read and answered as the operation wishes', async () => {
    const { url } = await start();
    const answer = await send(url, {
      path: '/topics/dt/alpine/probe%2D1/telemetry?qos=1',
      headers: { ...signedBy('ANY', 'iotdata'), 'x-kind': 'raw' },
      body: 'not json',
    });
    expect(answer).toMatchObject({
      status: 202,
      headers: { 'x-topic': 'dt/alpine/probe-1/telemetry' },
    });
    expect(JSON.parse(answer.text)).toEqual({
      topic: 'dt/alpine/probe-1/telemetry',
      qos: '1',
      payload: 'not json',
      kind: 'raw',
    });
  });

  it.each([
    { path: '/things/a/b', service: 'iot', method: 'GET' },
    { path: '/things/a', service: 'iotdata', method: 'GET' },
    { path: '/things/a', service: 'iot', method: 'DELETE' },
  ])('$method $path of $service is refused by name', async ({ path, service, method }) => {
    const { url } = await start();
    const answer = await send(url, { method, path, headers: signedBy('ANY', service) });
    expect(answer).toMatchObject({
      status: 404,
      text: expect.stringContaining(`The laptop does not have ${method} ${path}.`),
    });
  });

  it('with a label that is no UTF-8 is refused', async () => {
    const { url } = await start();
    const answer = await send(url, { method: 'GET', path: '/things/%ff' });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('%ff') });
  });
});

describe('GetCallerIdentity', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const body = 'Action=GetCallerIdentity&Version=2011-06-15';

  it('names the role session of a function', async () => {
    const { url } = await start();
    const answer = await send(url, { headers: { ...form, ...signedBy('INGEST', 'sts') }, body });
    expect(answer.headers['content-type']).toBe('text/xml');
    expect(answer.text).toBe(
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
        '<GetCallerIdentityResult>' +
        '<Arn>arn:aws:sts::000000000000:assumed-role/ingest-role/tributary-dev-ingest</Arn>' +
        '<UserId>AROALAPTOP:tributary-dev-ingest</UserId><Account>000000000000</Account>' +
        '</GetCallerIdentityResult>' +
        `<ResponseMetadata><RequestId>${answer.headers['x-amzn-requestid']}</RequestId></ResponseMetadata>` +
        '</GetCallerIdentityResponse>',
    );
  });

  it('names the operator when nobody signed', async () => {
    const { url } = await start();
    const answer = await send(url, { headers: form, body });
    expect(answer.text).toContain('<Arn>arn:aws:iam::000000000000:root</Arn>');
  });

  it('is all there is of STS', async () => {
    const { url } = await start();
    const answer = await send(url, { headers: form, body: 'Action=Assume%3CRole' });
    expect(answer).toMatchObject({
      status: 400,
      text: expect.stringContaining('<Code>InvalidAction</Code>'),
    });
    expect(answer.text).toContain('Assume&lt;Role');
  });
});

describe('authorisation', () => {
  const authorize = () => ({ allowed: false, explanation: 'Statement 2 allows test:Other only.' });

  it('refuses in the words of AWS, with caller, action, resource and role', async () => {
    const { url, entries } = await start({ authorize });
    const headers = signedBy('INGEST', 'test');
    const { status, text } = await sendTo(url, 'Test_1.Echo', '{"text":"a"}', headers);
    const message =
      'User: arn:aws:sts::000000000000:assumed-role/ingest-role/tributary-dev-ingest is not authorized to perform: test:Echo on resource: arn:aws:test:::a because no identity-based policy allows the test:Echo action. ' +
      'Role arn:aws:iam::000000000000:role/service/ingest-role: Statement 2 allows test:Other only.';
    expect({ status, ...JSON.parse(text) }).toEqual({
      status: 400,
      __type: 'AccessDeniedException',
      message,
    });
    expect(entries).toMatchObject([{ level: 'warn', caller: 'tributary-dev-ingest' }]);
  });

  it('says so when a policy denies', async () => {
    const { url } = await start({
      authorize: () => ({ allowed: false, reason: 'explicit-deny', explanation: 'Denied.' }),
    });
    const { text } = await sendTo(url, 'Test_1.Echo', '{"text":"a"}');
    expect(text).toContain('arn:aws:test:::a with an explicit deny in an identity-based policy');
  });

  it('asks for each need, with the caller that the access key belongs to', async () => {
    const asked: unknown[] = [];
    const kinesis = await startKinesis({
      options: {
        callerOf: () => FUNCTION,
        authorize: (caller, need) => {
          asked.push([caller.kind, need.action, need.resource]);
          return { allowed: !need.action.startsWith('kms:'), explanation: '' };
        },
      },
    });
    undo.push(kinesis.stop);
    const arn = 'arn:aws:kinesis:eu-central-1:000000000000:stream/s';
    const keyArn = 'arn:aws:kms:eu-central-1:000000000000:key/1';
    await kinesis.streams.create({ name: 's', arn, keyArn, shardCount: 1, retentionHours: 24 });
    const Records = [{ Data: Buffer.from('a'), PartitionKey: 'a' }];
    const put = new PutRecordsCommand({ StreamName: 's', Records });
    await expect(kinesis.http2Client('INGEST').send(put)).rejects.toMatchObject({
      name: 'KMSAccessDeniedException',
      message: expect.stringContaining(`kms:GenerateDataKey on resource: ${keyArn}`),
    });
    expect(asked).toEqual([
      ['function', 'kinesis:PutRecords', arn],
      ['function', 'kms:GenerateDataKey', keyArn],
    ]);
  });
});

describe('an injected fault', () => {
  const Records = ['a', 'b', 'c'].map((text) => ({
    Data: Buffer.from(text),
    PartitionKey: 'probe-1',
  }));
  const put = new PutRecordsCommand({ StreamName: 's', Records });

  async function startFaulty(faults: NonNullable<AwsEndpointOptions['faults']>) {
    const kinesis = await startKinesis({ options: { faults } });
    undo.push(kinesis.stop);
    await kinesis.streams.create({ name: 's', arn: 'a', shardCount: 1, retentionHours: 24 });
    const stored = () =>
      kinesis.streams
        .read('s', 'shardId-000000000000', 'TRIM_HORIZON', 10)
        .map(({ data }) => Buffer.from(data).toString());
    return { ...kinesis, stored };
  }

  it('is answered instead of the call, and sees what the call is', async () => {
    const seen: unknown[] = [];
    const kinesis = await startFaulty(({ target, caller }) => {
      seen.push([target, caller.kind]);
      return new AwsError('ProvisionedThroughputExceededException', 'Slow down.');
    });
    await expect(kinesis.http2Client().send(put)).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
      message: 'Slow down.',
    });
    expect(seen).toEqual([['Kinesis_20131202.PutRecords', 'operator']]);
    expect(kinesis.stored()).toEqual([]);
  });

  it('fails some records while the others take place', async () => {
    const kinesis = await startFaulty(() => ({ failIndexes: [1] }));
    const answer = await kinesis.http2Client().send(put);
    expect(answer.FailedRecordCount).toBe(1);
    expect(answer.Records).toMatchObject([
      { ShardId: 'shardId-000000000000' },
      { ErrorCode: 'ProvisionedThroughputExceededException' },
      { ShardId: 'shardId-000000000000' },
    ]);
    expect(kinesis.stored()).toEqual(['a', 'c']);
  });

  it.each([{ pick: 'http1Client' as const }, { pick: 'http2Client' as const }])(
    'loses the answer after the call took place ($pick)',
    async ({ pick }) => {
      let calls = 0;
      const kinesis = await startFaulty(() => (calls++ === 0 ? { loseAnswer: true } : undefined));
      await expect(kinesis[pick]().send(put)).rejects.not.toHaveProperty('$response');
      expect(kinesis.stored()).toEqual(['a', 'b', 'c']);
      expect(await kinesis[pick]().send(put)).toMatchObject({ FailedRecordCount: 0 });
    },
  );

  it('delays the call', async () => {
    const kinesis = await startFaulty(() => ({ delayMs: 50 }));
    const startedAtMs = performance.now();
    await kinesis.http2Client().send(put);
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(49);
  });

  it('that asks for what a call does not have is a fault of ours', async () => {
    const { url, entries } = await start({ faults: () => ({ failIndexes: [0] }) });
    expect(await sendTo(url, 'Test_1.Echo', '{"text":"a"}')).toMatchObject({ status: 500 });
    expect(entries).toMatchObject([{ level: 'error' }]);
  });
});

describe('the endpoint', () => {
  it('says which port it could not have', async () => {
    const { url } = await start();
    const second = createAwsEndpoint({
      operations: [],
      callerOf: () => FUNCTION,
      authorize: () => ({ allowed: true, explanation: '' }),
      now: () => 0,
      log: () => undefined,
    });
    const port = Number(new URL(url).port);
    await expect(second.listen(port)).rejects.toThrow(`cannot listen on 127.0.0.1:${port}`);
  });

  it('lets calls under way finish when it closes', async () => {
    const { url, endpoint } = await start({ faults: () => ({ delayMs: 100 }) });
    const answer = sendTo(url, 'Test_1.Echo', '{"text":"a"}');
    await new Promise((resolve) => setTimeout(resolve, 30));
    await endpoint.close();
    expect(await answer).toMatchObject({ status: 200 });
    await expect(sendTo(url, 'Test_1.Echo', '{"text":"a"}')).rejects.toThrow('ECONNREFUSED');
  });

  it('hangs up on connections that say nothing when it closes', async () => {
    const { url, endpoint } = await start();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    await new Promise((resolve) => setTimeout(resolve, 10));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await endpoint.close();
    await closed;
  });
});
