import { Agent, request } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Credential } from '../../../local/pki/index.ts';
import { openWorld, type World } from './gateway-world.ts';

let world: World;

beforeEach(async () => {
  world = await openWorld();
});

afterEach(() => world.close());

interface Call {
  readonly path: string;
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: { message?: string; traceId?: string };
  readonly headers: Record<string, unknown>;
}

function call(credential: Partial<Credential>, { path, method, body, headers, agent }: Call) {
  return new Promise<Answer>((resolve, reject) => {
    const sending = request(
      {
        host: '127.0.0.1',
        port: world.ports.httpsPort,
        servername: 'localhost',
        ca: world.ca.certificatePem,
        cert: credential.certificatePem,
        key: credential.privateKeyPem,
        method: method ?? 'POST',
        path,
        agent: agent ?? false,
        headers: headers ?? {},
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () =>
          resolve({ status: answer.statusCode, body: JSON.parse(text), headers: answer.headers }),
        );
      },
    );
    sending.on('error', reject);
    sending.end(body ?? (method === 'GET' ? '' : 'hello'));
  });
}

const topicPath = (topic: string, query = '?qos=1'): string =>
  `/topics/${encodeURIComponent(topic)}${query}`;

const TRACE_ID = expect.stringMatching(/^[0-9a-f-]{36}$/);

it('publishes, and the rules get topic and payload without client id and trace id', async () => {
  const answer = await call(await world.device('t1'), { path: topicPath('dt/f1/t1/telemetry') });
  expect(answer).toMatchObject({ status: 200, body: { message: 'OK', traceId: TRACE_ID } });
  expect(world.messages()).toEqual([
    {
      topic: 'dt/f1/t1/telemetry',
      payload: Buffer.from('hello'),
      protocol: 'https',
      principal: expect.stringMatching(/^[0-9a-f]{64}$/),
      sourceIp: '127.0.0.1',
    },
  ]);
});

it('takes the topic with its slashes plain or encoded', async () => {
  const device = await world.device('t1');
  await call(device, { path: '/topics/dt/f1/t1/a' });
  await call(device, { path: '/topics/dt%2Ff1%2Ft1%2Fb' });
  await call(device, { path: '/topics/dt/f1/t1/%C3%A4' });
  expect(world.messages().map(({ topic }) => topic)).toEqual([
    'dt/f1/t1/a',
    'dt/f1/t1/b',
    'dt/f1/t1/ä',
  ]);
});

it('carries MQTT 5 properties in query and headers', async () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  await call(await world.device('t1'), {
    path: topicPath('dt/f1/t1/a', '?contentType=text%2Fplain&responseTopic=room%2F1'),
    headers: {
      'x-amz-mqtt5-user-properties': base64('[{"b":"1"},{"a":"2"},{"b":"3"}]'),
      'x-amz-mqtt5-payload-format-indicator': 'UTF8_DATA',
      'x-amz-mqtt5-correlation-data': base64('id'),
    },
  });
  expect(world.messages()).toMatchObject([
    {
      mqtt5: {
        contentType: 'text/plain',
        responseTopic: 'room/1',
        formatIndicator: 'UTF8_DATA',
        correlationData: Buffer.from('id'),
        userProperties: [
          ['b', '1'],
          ['a', '2'],
          ['b', '3'],
        ],
      },
    },
  ]);
});

it('answers several requests on one connection', async () => {
  const device = await world.device('t1');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const n of [1, 2, 3]) {
    await call(device, { path: topicPath(`dt/f1/t1/${n}`), agent });
  }
  agent.destroy();
  expect(world.messages()).toHaveLength(3);
});

const LARGEST = 128 * 1024;

describe('a request that cannot be', () => {
  it.each<[what: string, call: Call, status: number, message: RegExp]>([
    ['goes elsewhere', { path: '/things/t1/shadow' }, 404, /publish to \/topics\/TOPIC/],
    ['is a GET', { path: topicPath('dt/f1/t1/a'), method: 'GET' }, 405, /with POST/],
    ['names no topic', { path: '/topics/' }, 400, /empty/],
    ['has QoS 2', { path: topicPath('dt/f1/t1/a', '?qos=2') }, 400, /must be 0 or 1/],
    ['has a half retain', { path: topicPath('dt/f1/t1/a', '?retain=1') }, 400, /true or false/],
    ['has broken encoding', { path: '/topics/dt%2' }, 400, /not URL-encoded/],
    ['has encoded bytes that are no UTF-8', { path: '/topics/%ff' }, 400, /not URL-encoded/],
    ['has a wildcard', { path: topicPath('dt/f1/t1/#') }, 400, /wildcard/],
    ['has nine levels', { path: topicPath('dt/f1/t1/4/5/6/7/8/9') }, 400, /8 forward slashes/],
    ['has an odd expiry', { path: topicPath('room/1', '?messageExpiry=-1') }, 400, /seconds/],
    [
      'has broken user properties',
      { path: topicPath('room/1'), headers: { 'x-amz-mqtt5-user-properties': 'e30=' } },
      400,
      /base64 of a JSON array/,
    ],
    ['is another device', { path: topicPath('dt/f1/t2/a') }, 403, /^Forbidden$/],
    [
      'publishes presence',
      { path: topicPath('$aws/events/presence/connected/t1') },
      400,
      /reserved/,
    ],
    ['is too large', { path: topicPath('room/1'), body: Buffer.alloc(LARGEST + 1) }, 413, /131072/],
  ])('%s is answered with its reason', async (_, asked, status, message) => {
    const answer = await call(await world.device('t1'), asked);
    expect(answer).toMatchObject({
      status,
      body: { message: expect.stringMatching(message), traceId: TRACE_ID },
    });
    expect(world.messages()).toEqual([]);
    expect(world.log).toMatchObject([{ level: 'warn', protocol: 'https' }]);
  });

  it('announces no length and is too large: is cut off at the limit', async () => {
    const answer = await call(await world.device('t1'), {
      path: topicPath('room/1'),
      headers: { 'transfer-encoding': 'chunked' },
      body: Buffer.alloc(LARGEST + 1),
    });
    expect(answer.status).toBe(413);
  });
});

it('answers what is no HTTP request in JSON too', async () => {
  const answer = await call(await world.device('t1'), {
    path: topicPath('room/1'),
    headers: { 'content-length': '2' },
    body: 'longer than it says',
  });
  expect(answer).toMatchObject({ status: 400, body: { message: 'not an HTTP request' } });
  expect(world.log).toMatchObject([{ reason: 'HTTP', protocol: 'https' }]);
});

it('takes a body of exactly 128 KB', async () => {
  const body = Buffer.alloc(LARGEST, 'x');
  const answer = await call(await world.device('t1'), { path: topicPath('room/1'), body });
  expect(answer.status).toBe(200);
  expect(world.messages()).toMatchObject([{ payload: body }]);
});

it('answers 401 without a certificate, and to one that was revoked meanwhile', async () => {
  const device = await world.device('t1');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const path = topicPath('room/1');
  await expect(call({}, { path })).resolves.toMatchObject({ status: 401 });
  await expect(call(device, { path, agent })).resolves.toMatchObject({ status: 200 });
  world.registry.setStatus(device.certificatePem, 'REVOKED');
  await expect(call(device, { path, agent })).resolves.toMatchObject({ status: 401 });
  agent.destroy();
  expect(world.gateway.counters().refused).toEqual({ NO_CERTIFICATE: 1, REVOKED: 1 });
});

it('has no thing variables: a policy by thing name alone does not let it publish', async () => {
  const device = await world.device('t1');
  const resource = 'arn:aws:iot:eu-central-1:000000000000:topic/room/';
  const thing = '$'.concat('{iot:Connection.Thing.ThingName}');
  world.registry.setPolicy({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 'iot:Publish', Resource: resource + thing },
  });
  const answer = await call(device, { path: topicPath('room/t1') });
  expect(answer.status).toBe(403);
  expect(world.log).toMatchObject([
    { action: 'iot:Publish', resource: `${resource}t1`, explanation: expect.any(String) },
  ]);
});

it('answers 500 and says nothing of why when the rules engine breaks', async () => {
  await world.close();
  const broken = new Error('disk full');
  world = await openWorld({ publishToRules: () => Promise.reject(broken) });
  const answer = await call(await world.device('t1'), { path: topicPath('room/1') });
  expect(answer).toMatchObject({ status: 500, body: { message: 'Internal Failure' } });
  expect(world.log).toMatchObject([{ level: 'error', error: broken }]);
});
