import { afterEach, describe, expect, it } from '@jest/globals';
import type { MqttClient } from 'mqtt';
import { presign, type Signing, signInHeader } from '../../support/signer.ts';
import {
  type AccessWorld,
  type AccessWorldOptions,
  answer,
  authorizer,
  closed,
  domain,
  IDENTITY,
  KEY,
  manualTimers,
  openAccessWorld,
  roomPolicy,
  signedHeaders,
  signedQuery,
  TOKEN,
} from './access-world.ts';
import { connected, until } from './gateway-world.ts';

let world: AccessWorld;

const open = async (options: AccessWorldOptions = {}): Promise<AccessWorld> => {
  world = await openAccessWorld(options);
  return world;
};

afterEach(() => world.close());

const ROOM_FOR = (clientId: string) => () => answer({ policyDocuments: [roomPolicy(clientId)] });

const USER: Omit<Signing, 'atMs'> = { accessKeyId: 'AKIDUSER', secretAccessKey: 'user-secret' };
const COGNITO: Omit<Signing, 'atMs'> = {
  accessKeyId: 'ASIACOGNITO',
  secretAccessKey: 'cognito-secret',
  sessionToken: TOKEN,
};

/** The query of a presigned URL, with its question mark. */
async function presignedQuery(
  signing: Omit<Signing, 'atMs'>,
  port = world.port443,
): Promise<string> {
  const headers = { host: `localhost:${port}` };
  const { query } = await presign({ path: '/mqtt', headers }, { atMs: Date.now(), ...signing });
  return `?${query}`;
}

/** A message goes round: subscribed, published, received. */
async function roundTrip(client: MqttClient): Promise<string> {
  const received = new Promise<string>((resolve) =>
    client.on('message', (_, payload) => resolve(payload.toString())),
  );
  await client.subscribeAsync('room/1', { qos: 1 });
  await client.publishAsync('room/1', 'hello', { qos: 1 });
  return received;
}

describe('a WebSocket with a presigned URL', () => {
  it.each([4, 5] as const)('carries MQTT, version %s, under IAM', async (protocolVersion) => {
    await open();
    const client = world.overWss(await presignedQuery(USER), {
      clientId: 'user-1',
      protocolVersion,
    });
    await connected(client);
    expect(await roundTrip(client)).toBe('hello');
    expect(world.messages()).toMatchObject([
      { topic: 'room/1', protocol: 'mqtt', principal: 'AIDAUSER', clientId: 'user-1' },
    ]);
    expect(world.gateway.counters().accepted).toMatchObject({ wss: 1, mqtt: 0 });
  });

  it('is held to IAM: another client id and another topic are refused', async () => {
    await open();
    const wrong = world.overWss(await presignedQuery(USER), {
      clientId: 'other',
      protocolVersion: 5,
    });
    await expect(connected(wrong)).rejects.toMatchObject({ code: 135 });
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: 'policy-refusal', action: 'iot:Connect', protocol: 'wss' }),
    );
    const right = world.overWss(await presignedQuery(USER), {
      clientId: 'user-1',
      protocolVersion: 5,
    });
    await connected(right);
    await expect(right.publishAsync('hall/1', 'x', { qos: 1 })).rejects.toThrow(/Not authorized/);
  });

  it('of a Cognito identity may do what both its policies allow', async () => {
    await open();
    const { registry } = world.registry;
    registry.createPolicy('dashboard', JSON.stringify(roomPolicy('dash-1')));
    const before = world.overWss(await presignedQuery(COGNITO), { clientId: 'dash-1' });
    await expect(connected(before)).rejects.toMatchObject({ code: 5 });
    registry.attachPolicy('dashboard', IDENTITY);
    const client = world.overWss(await presignedQuery(COGNITO), { clientId: 'dash-1' });
    await connected(client);
    expect(await roundTrip(client)).toBe('hello');
  });

  it.each([
    ['another secret', { ...USER, secretAccessKey: 'x' }, 'SIGV4_SIGNATURE'],
    ['an unknown key', { ...USER, accessKeyId: 'AKIDX' }, 'SIGV4_UNKNOWN_KEY'],
    ['an old date', { ...USER, atMs: Date.now() - 3_600_000 }, 'SIGV4_EXPIRED'],
    ['another region', { ...USER, region: 'us-east-1' }, 'SIGV4_SCOPE'],
    ['a missing token', { ...COGNITO, sessionToken: undefined }, 'SIGV4_SESSION_TOKEN'],
  ])('and %s is answered 403, and the operator told why', async (_, signing, reason) => {
    await open();
    const { sessionToken, ...rest } = { sessionToken: undefined, ...signing };
    const query = await presignedQuery({
      ...rest,
      ...(sessionToken !== undefined && { sessionToken }),
    });
    expect(await world.upgrade(query)).toBe(403);
    expect(world.credentialRefusals()).toMatchObject([{ reason, protocol: 'wss' }]);
  });

  it('of the operator is not for web pages', async () => {
    await open();
    const query = await presignedQuery({ accessKeyId: 'operator', secretAccessKey: 'operator' });
    expect(await world.upgrade(query, { origin: 'https://evil.example' })).toBe(403);
    expect(world.credentialRefusals()).toMatchObject([{ reason: 'SIGV4_WEB_PAGE' }]);
  });

  it('ends after a day', async () => {
    const time = manualTimers();
    await open({ timers: time.timers });
    const client = world.overWss(await presignedQuery(USER), { clientId: 'user-1' });
    await connected(client);
    const ended = closed(client);
    const reasons = () => world.lifecycle().flatMap((body) => body['disconnectReason'] ?? []);
    time.pass(86_399_000);
    expect(reasons()).toEqual([]);
    time.pass(1000);
    expect(reasons()).toEqual(['WEBSOCKET_TTL_EXPIRATION']);
    await ended;
  });
});

describe('a WebSocket with custom authentication', () => {
  it.each<[string, (w: AccessWorld) => MqttClient]>([
    [
      'in headers',
      (w) => w.overWss('', { clientId: 'probe-1', wsOptions: { headers: signedHeaders() } }),
    ],
    ['in the query string', (w) => w.overWss(signedQuery(), { clientId: 'probe-1' })],
    [
      'in the user name',
      (w) => w.overWss('', { clientId: 'probe-1', username: `u${signedQuery()}`, password: 'p' }),
    ],
  ])('%s carries MQTT under the policy that the authorizer gives', async (_, connect) => {
    await open({ decide: ROOM_FOR('probe-1') });
    const client = connect(world);
    await connected(client);
    expect(await roundTrip(client)).toBe('hello');
    expect(world.messages()).toMatchObject([{ principal: 'probe1', clientId: 'probe-1' }]);
    expect(world.authorizerEvents).toMatchObject([
      { token: 'abc', signatureVerified: true, protocols: ['tls', 'http', 'mqtt'] },
    ]);
  });

  it('gives the function what the CONNECT carries, where the upgrade carries nothing', async () => {
    await open({ decide: ROOM_FOR('probe-1') });
    const username = `u${signedQuery()}`;
    await connected(world.overWss('?a=b', { clientId: 'probe-1', username, password: 'pass' }));
    expect(world.authorizerEvents[0]?.protocolData).toMatchObject({
      tls: { serverName: 'localhost' },
      http: { queryString: '?a=b', headers: { Upgrade: 'websocket' } },
      mqtt: { username, password: Buffer.from('pass').toString('base64'), clientId: 'probe-1' },
    });
  });

  it('with a wrong signature is answered 401, and the function not asked', async () => {
    await open();
    const headers = { ...signedHeaders('abc'), token: 'abd' };
    expect(await world.upgrade('', headers)).toBe(401);
    expect(world.credentialRefusals()).toMatchObject([
      { reason: 'AUTHORIZER_TOKEN_SIGNATURE', principal: 'signed', protocol: 'wss' },
    ]);
    expect(world.authorizerEvents).toEqual([]);
  });

  it('that the function does not let in is refused in the CONNACK where it came with the CONNECT', async () => {
    await open({ decide: () => ({ isAuthenticated: false }) });
    const username = `u${signedQuery()}`;
    const client = world.overWss('', { clientId: 'probe-1', username, protocolVersion: 5 });
    await expect(connected(client)).rejects.toMatchObject({ code: 135 });
    expect(world.credentialRefusals()).toMatchObject([
      { reason: 'AUTHORIZER_NOT_AUTHENTICATED', clientId: 'probe-1' },
    ]);
    expect(world.lifecycle()).toMatchObject([{ eventType: 'connect_failed', clientId: 'probe-1' }]);
  });

  it('that shows nothing at all is told to name an authorizer', async () => {
    await open();
    await expect(connected(world.overWss('', { clientId: 'probe-1' }))).rejects.toMatchObject({
      code: 5,
    });
    expect(world.credentialRefusals()).toMatchObject([
      {
        reason: 'AUTHORIZER_NO_AUTHORIZER',
        explanation: expect.stringMatching(/customauthorizer-name/),
      },
    ]);
  });

  it('falls to the default authorizer where it names none', async () => {
    await open({
      defaultAuthorizer: 'password',
      authorizers: [authorizer({ name: 'password', signingDisabled: true, signingKeys: {} })],
      decide: ROOM_FOR('probe-1'),
    });
    await connected(world.overWss('', { clientId: 'probe-1', username: 'u', password: 'p' }));
    expect(world.authorizerEvents).toMatchObject([{ signatureVerified: false }]);
  });
});

describe('the WebSocket itself', () => {
  it.each([
    ['another path', 'wss://localhost:PORT/other', ['mqtt'], /404/],
    ['no subprotocol', 'wss://localhost:PORT/mqtt', [], /400/],
    ['another subprotocol', 'wss://localhost:PORT/mqtt', ['chat'], /400/],
  ] as const)('is refused at %s', async (_, url, protocols, told) => {
    await open();
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(url.replace('PORT', String(world.port443)), [...protocols], {
      ca: world.ca.certificatePem,
    });
    const error = await new Promise<Error>((resolve) => socket.on('error', resolve));
    expect(error.message).toMatch(told);
  });

  it('ends at a text frame', async () => {
    await open();
    const { WebSocket } = await import('ws');
    const query = await presignedQuery(USER);
    const socket = new WebSocket(`wss://localhost:${world.port443}/mqtt${query}`, ['mqtt'], {
      ca: world.ca.certificatePem,
    });
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send('text');
    const code = await new Promise((resolve) => socket.on('close', resolve));
    expect(code).toBe(1003);
    expect(world.gateway.counters().open).toBe(0);
  });

  it('takes packets that straddle frames, and many in one', async () => {
    await open();
    const { WebSocket } = await import('ws');
    const query = await presignedQuery(USER);
    const socket = new WebSocket(`wss://localhost:${world.port443}/mqtt${query}`, ['mqtt'], {
      ca: world.ca.certificatePem,
    });
    await new Promise((resolve) => socket.on('open', resolve));
    const bytes: number[] = [];
    socket.on('message', (data: Buffer) => bytes.push(...data));
    const connect = Buffer.from('101200044d5154540402003c0006757365722d31', 'hex');
    for (const byte of connect) socket.send(Buffer.from([byte]));
    await until('CONNACK', () => bytes.length === 4);
    socket.send(Buffer.from('c000c000c000', 'hex'));
    await until('three answers', () => bytes.length === 10);
    socket.terminate();
  });
});

describe('MQTT on the port that stands for 443', () => {
  it('takes certificates with ALPN x-amzn-mqtt-ca', async () => {
    await open();
    const { certificatePem, privateKeyPem } = await world.device('t1');
    const client = world.overTls({
      clientId: 't1',
      cert: certificatePem,
      key: privateKeyPem,
      ALPNProtocols: ['x-amzn-mqtt-ca'],
    });
    await connected(client);
    expect(await roundTrip(client)).toBe('hello');
  });

  it('takes custom authentication with ALPN mqtt, and no certificate is asked for', async () => {
    await open({ decide: ROOM_FOR('probe-1') });
    const username = `probe${signedQuery()}&SDK=test`;
    const client = world.overTls({
      clientId: 'probe-1',
      username,
      password: 'p',
      ALPNProtocols: ['mqtt'],
    });
    await connected(client);
    expect(await roundTrip(client)).toBe('hello');
    expect(world.authorizerEvents).toMatchObject([{ protocols: ['tls', 'mqtt'] }]);
  });

  it('refuses other protocols in the handshake', async () => {
    await open();
    const client = world.overTls({ clientId: 'probe-1', ALPNProtocols: ['smtp'] });
    await expect(connected(client)).rejects.toThrow();
    await until('the operator is told', () => world.log.length > 0);
    expect(world.log).toMatchObject([{ reason: 'ALPN' }]);
  });

  it('wants a server name for custom authentication', async () => {
    await open();
    const more = { host: '127.0.0.1', servername: '', ALPNProtocols: ['mqtt'] };
    await expect(connected(world.overTls({ clientId: 'probe-1', ...more }))).rejects.toThrow();
    expect(world.credentialRefusals()).toMatchObject([{ reason: 'NO_SNI' }]);
  });
});

describe('a grant', () => {
  const timed = async (decide: () => unknown) => {
    const time = manualTimers();
    await open({ decide, timers: time.timers });
    const options = { clientId: 'probe-1', username: `u${signedQuery()}`, keepalive: 1200 };
    const client = world.overTls({ ...options, protocolVersion: 5, ALPNProtocols: ['mqtt'] });
    await connected(client);
    return { client, time };
  };
  const reasons = () => world.lifecycle().flatMap((body) => body['disconnectReason'] ?? []);

  it('is refreshed, and what it then allows holds at once', async () => {
    const documents = [[roomPolicy('probe-1')], []];
    const { client, time } = await timed(() =>
      answer({ policyDocuments: documents.shift() ?? [] }),
    );
    await client.publishAsync('room/1', 'x', { qos: 1 });
    time.pass(300_000);
    await until('the refresh', () => world.authorizerEvents.length === 2);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(client.publishAsync('room/1', 'x', { qos: 1 })).rejects.toThrow(/Not authorized/);
  });

  it.each([
    ['says no', () => ({ isAuthenticated: false }), 'AUTHORIZER_NOT_AUTHENTICATED'],
    [
      'names another principal',
      () => answer({ principalId: 'other' }),
      'AUTHORIZER_INVALID_RESPONSE',
    ],
    ['answers wrongly', () => 'nonsense', 'AUTHORIZER_INVALID_RESPONSE'],
  ])('whose refresh %s ends the connection', async (_, then, reason) => {
    const decisions = [ROOM_FOR('probe-1'), then];
    const { client, time } = await timed(() => decisions.shift()?.());
    const ended = closed(client);
    time.pass(300_000);
    await ended;
    expect(reasons()).toEqual(['AUTH_ERROR']);
    expect(world.credentialRefusals()).toMatchObject([{ reason }]);
  });

  it('ends when its time is over, however often it was refreshed', async () => {
    const { client, time } = await timed(() =>
      answer({ policyDocuments: [roomPolicy('probe-1')], disconnectAfterInSeconds: 700 }),
    );
    const ended = closed(client);
    time.pass(300_000);
    await until('the first refresh', () => world.authorizerEvents.length === 2);
    await new Promise((resolve) => setImmediate(resolve));
    time.pass(399_000);
    expect(reasons()).toEqual([]);
    time.pass(1000);
    await ended;
    expect(reasons()).toEqual(['CUSTOMAUTH_TTL_EXPIRATION']);
  });
});

describe('an HTTPS publish on the port that stands for 443', () => {
  const path = '/topics/room%2F1?qos=1';

  it('takes SigV4', async () => {
    await open();
    const host = `localhost:${world.port443}`;
    const { headers, query } = await signInHeader(
      {
        method: 'POST',
        path: '/topics/room%2F1',
        query: { qos: '1' },
        headers: { host },
        body: 'x',
      },
      { atMs: Date.now(), ...USER, service: 'iotdata' },
    );
    const ask = (body: string) =>
      world.https(
        { path: `/topics/room%2F1?${query}`, headers: Object.fromEntries(headers) },
        body,
      );
    expect(await ask('x')).toMatchObject({ status: 200 });
    expect(world.messages()).toMatchObject([{ principal: 'AIDAUSER', protocol: 'https' }]);
    expect(await ask('y')).toMatchObject({ status: 403 });
    expect(world.credentialRefusals()).toMatchObject([
      { reason: 'SIGV4_PAYLOAD', principal: 'AKIDUSER' },
    ]);
  });

  it('takes custom authentication, and asks for each request', async () => {
    await open({ decide: ROOM_FOR('unused') });
    for (const headers of [signedHeaders(), signedHeaders()]) {
      expect(await world.https({ path, headers }, 'x')).toMatchObject({ status: 200 });
    }
    expect(
      await world.https({ path: '/topics/hall', headers: signedHeaders() }, 'x'),
    ).toMatchObject({
      status: 403,
    });
    expect(world.authorizerEvents).toHaveLength(3);
    expect(world.authorizerEvents[0]).toMatchObject({
      protocols: ['tls', 'http'],
      protocolData: { http: { queryString: '?qos=1' } },
    });
  });

  it('with caching on asks once a connection, until the refresh', async () => {
    const time = manualTimers();
    await open({
      authorizers: [authorizer({ enableCachingForHttp: true })],
      decide: ROOM_FOR('unused'),
      now: time.now,
    });
    const { Agent } = await import('node:https');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (token: string) => world.https({ path, agent, headers: signedHeaders(token) }, 'x');
    for (const token of ['a', 'a']) expect((await ask(token)).status).toBe(200);
    expect(world.authorizerEvents).toHaveLength(1);
    expect((await ask('b')).status).toBe(200); // another client behind the same connection
    expect(world.authorizerEvents).toHaveLength(2);
    time.pass(300_000);
    expect((await ask('b')).status).toBe(200);
    expect(world.authorizerEvents).toHaveLength(3);
    agent.destroy();
    expect((await world.https({ path, headers: signedHeaders('b') }, 'x')).status).toBe(200);
    expect(world.authorizerEvents).toHaveLength(4);
  });

  it.each([
    [
      'a wrong signature',
      () => ({ ...signedHeaders('a'), token: 'b' }),
      'AUTHORIZER_TOKEN_SIGNATURE',
    ],
    ['an unknown authorizer', () => signedHeaders('a', 'nobody'), 'AUTHORIZER_UNKNOWN_AUTHORIZER'],
    ['nothing', () => ({}), 'AUTHORIZER_NO_AUTHORIZER'],
  ])('with %s is answered 401', async (_, headers, reason) => {
    await open();
    const { status, body } = await world.https({ path, headers: headers() }, 'x');
    expect({ status, body: JSON.parse(body) }).toMatchObject({
      status: 401,
      body: { message: 'Unauthorized' },
    });
    expect(world.credentialRefusals()).toMatchObject([{ reason, protocol: 'https' }]);
  });

  it('takes certificates with ALPN x-amzn-http-ca', async () => {
    await open();
    const { certificatePem, privateKeyPem } = await world.device('t1');
    const ask = (more: object) =>
      world.https({ path, ALPNProtocols: ['x-amzn-http-ca'], ...more }, 'x');
    expect(await ask({ cert: certificatePem, key: privateKeyPem })).toMatchObject({ status: 200 });
    expect(await ask({})).toMatchObject({ status: 401 });
  });
});

describe('DeleteConnection at the endpoint', () => {
  const remove = async (signing: Omit<Signing, 'atMs'>, clientId: string) => {
    const host = `localhost:${world.port443}`;
    const path = `/connections/${clientId}`;
    const signed = await signInHeader(
      { method: 'DELETE', path, query: { cleanSession: 'true' }, headers: { host } },
      { atMs: Date.now(), ...signing },
    );
    const headers = Object.fromEntries(signed.headers);
    return world.https({ method: 'DELETE', path: `${path}?${signed.query}`, headers });
  };

  it('ends a session, for whom IAM allows it', async () => {
    await open();
    const client = await world.client('t1');
    await connected(client);
    expect(await remove(USER, 't1')).toMatchObject({ status: 403 });
    const operator = { accessKeyId: 'operator', secretAccessKey: 'operator' };
    const ended = closed(client);
    expect(await remove(operator, 't1')).toMatchObject({ status: 200 });
    await ended;
    expect(world.lifecycle()).toContainEqual(
      expect.objectContaining({ disconnectReason: 'API_INITIATED_DISCONNECT' }),
    );
    expect(await remove(operator, 't1')).toMatchObject({ status: 404 });
  });
});

describe('a domain configuration', () => {
  const pinned = (name: string) => ({ allowOverride: false, defaultName: name });

  it('has a port and a certificate of its own', async () => {
    await open({
      domains: [domain('tokens', 'CUSTOM_AUTH', 'SECURE_MQTT', { authorizers: pinned('signed') })],
      decide: ROOM_FOR('probe-1'),
    });
    const port = world.ports.domainPorts['tokens'] ?? 0;
    const query = new URLSearchParams({
      token: 'abc',
      'x-amz-customauthorizer-signature': KEY.sign('abc'),
    });
    const client = world.overTls({ clientId: 'probe-1', username: `u?${query}` }, port);
    await connected(client);
    expect(await roundTrip(client)).toBe('hello');
    const byName = { host: '127.0.0.1', servername: 'tokens.localhost', clientId: 'probe-1' };
    await connected(world.overTls({ ...byName, username: `u?${query}` }, world.port443));
  });

  it('lets nobody name another authorizer', async () => {
    await open({
      authorizers: [authorizer(), authorizer({ name: 'lax', signingDisabled: true })],
      domains: [domain('tokens', 'CUSTOM_AUTH', 'HTTPS', { authorizers: pinned('signed') })],
    });
    const port = world.ports.domainPorts['tokens'];
    const headers = { 'x-amz-customauthorizer-name': 'lax', token: 'abc' };
    expect(await world.https({ path: '/topics/room', headers }, 'x', port)).toMatchObject({
      status: 401,
    });
    expect(world.credentialRefusals()).toMatchObject([
      { reason: 'AUTHORIZER_OVERRIDE_NOT_ALLOWED' },
    ]);
    expect(world.authorizerEvents).toEqual([]);
  });

  it('for certificates with an authorizer wants both, and unites their policies', async () => {
    await open({
      domains: [
        domain('both', 'CUSTOM_AUTH_X509', 'SECURE_MQTT', { authorizers: pinned('plain') }),
      ],
      authorizers: [authorizer({ name: 'plain', signingDisabled: true })],
      decide: ({ protocolData: { tls } }) =>
        answer({ principalId: tls['principalId'], policyDocuments: [roomPolicy('nobody')] }),
    });
    const port = world.ports.domainPorts['both'];
    const { certificatePem, privateKeyPem } = await world.device('t1');
    const client = world.overTls(
      { clientId: 't1', cert: certificatePem, key: privateKeyPem },
      port,
    );
    await connected(client);
    await client.publishAsync('dt/f1/t1/telemetry', 'by certificate', { qos: 1 });
    await client.publishAsync('room/1', 'by authorizer', { qos: 1 });
    expect(world.authorizerEvents[0]?.protocolData.tls['x509CertificatePem']).toContain(
      'BEGIN CERT',
    );
    expect(world.messages()).toHaveLength(2);
    await expect(connected(world.overTls({ clientId: 't1' }, port))).rejects.toThrow();
    expect(world.log).toContainEqual(expect.objectContaining({ reason: 'NO_CERTIFICATE' }));
  });

  it('gives its name to policies', async () => {
    await open({ domains: [domain('certs', 'AWS_X509', 'HTTPS')] });
    world.registry.setPolicy({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Action: 'iot:Publish',
        Resource: '*',
        Condition: { StringEquals: { 'iot:DomainName': 'certs.localhost' } },
      },
    });
    const { certificatePem, privateKeyPem } = await world.device('t1');
    const more = { path: '/topics/room', cert: certificatePem, key: privateKeyPem };
    const port = world.ports.domainPorts['certs'];
    expect(await world.https(more, 'x', port)).toMatchObject({ status: 200 });
    const own = { ...more, ALPNProtocols: ['x-amzn-http-ca'] };
    expect(await world.https(own, 'x')).toMatchObject({ status: 403 });
  });

  it('keeps to its TLS policy', async () => {
    const securityPolicy = 'IoTSecurityPolicy_TLS13_1_3_2022_10';
    await open({ domains: [domain('modern', 'AWS_X509', 'HTTPS', { securityPolicy })] });
    const port = world.ports.domainPorts['modern'];
    await expect(
      world.https({ path: '/topics/room', maxVersion: 'TLSv1.2' }, 'x', port),
    ).rejects.toThrow(/protocol version|SSL/i);
    expect(
      await world.https({ path: '/topics/room', minVersion: 'TLSv1.3' }, 'x', port),
    ).toMatchObject({
      status: 401,
    });
  });
});
