import { Agent } from 'node:https';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectAsync, type IClientOptions } from 'mqtt';
import { incidentTable } from '../../shared/adapters/security/incident-table.ts';
import { type Denial, held, letGo } from '../../shared/core/security/denial.ts';
import {
  type AccessLaptop,
  bootAccess,
  certificateOf,
  connectMqtts,
  ending,
  post,
  signatureOf,
  signedParameters,
  tokenFor,
} from '../support/access-laptop.ts';
import { newSigner, tokenOf } from '../support/tokens.ts';

const NAME = 'x-amz-customauthorizer-name';
const stranger = newSigner('key-1');

const topicOf = (thing: string): string => `dt/acme/${thing}/telemetry`;
const lastRefusalOf = (laptop: AccessLaptop) => laptop.refusals({ limit: 1 })[0];

/** How often the functions let a thing in. */
const acceptances = ({ log }: AccessLaptop, thing: string): number =>
  log.filter(({ message }) => message.includes('"accepted"') && message.includes(`"${thing}"`))
    .length;

const connectWss = (
  { caPem }: AccessLaptop,
  port: number,
  clientId: string,
  { path = '', ...options }: Partial<IClientOptions> & { path?: string } = {},
) =>
  connectAsync(
    `wss://localhost:${port}/mqtt${path}`,
    { ca: caPem, clientId, protocolVersion: 5, reconnectPeriod: 0, ...options },
    false,
  );

describe('a stage with the signed authorizer, as it comes', () => {
  let laptop: AccessLaptop;
  beforeAll(async () => {
    laptop = await bootAccess({ params: {} });
  });
  afterAll(() => laptop.close());

  const named = (token: string, signature?: string) => ({
    [NAME]: 'tributary-dev-signed',
    ...signedParameters(token, signature),
  });
  const username = (parameters: Record<string, string>) =>
    `device?${new URLSearchParams(parameters)}`;
  const overMqtt = (clientId: string, parameters: Record<string, string>) =>
    connectMqtts(laptop, laptop.port443, clientId, {
      ALPNProtocols: ['mqtt'],
      username: username(parameters),
    });

  it('lets a device in by its token over MQTT, WSS and HTTPS, and to its own topics', async () => {
    const parameters = named(tokenFor('probe-1'));
    const mqtt = await overMqtt('probe-1', parameters);
    await mqtt.publishAsync(topicOf('probe-1'), '{"a": 1}', { qos: 1 });
    await mqtt.endAsync();
    const wss = await connectWss(laptop, laptop.port443, 'probe-1', {
      wsOptions: { headers: parameters },
    });
    await wss.publishAsync(topicOf('probe-1'), '{"a": 2}', { qos: 1 });
    await wss.endAsync();
    const headers = parameters;
    expect(await post(laptop, laptop.port443, topicOf('probe-1'), { headers })).toBe(200);
    expect(await post(laptop, laptop.port443, topicOf('probe-2'), { headers })).toBe(403);
    expect(lastRefusalOf(laptop)).toMatchObject({ action: 'iot:Publish' });
  });

  it('asks no function about a token that somebody else signed', async () => {
    const parameters = named(tokenFor('probe-2'), signatureOf('another token'));
    await expect(overMqtt('probe-2', parameters)).rejects.toThrow();
    expect(lastRefusalOf(laptop)).toMatchObject({ reason: 'AUTHORIZER_TOKEN_SIGNATURE' });
    expect(acceptances(laptop, 'probe-2')).toBe(0);
  });

  it.each([
    { what: 'of an issuer’s impostor', token: tokenOf(stranger), code: 'BAD_SIGNATURE' },
    { what: 'that is over', token: tokenFor('probe-3', { exp: 1_000 }), code: 'EXPIRED' },
    {
      what: 'whose thing is a wildcard',
      token: tokenFor('probe-3', { 'custom:thing': '*' }),
      code: 'WRONG_CLAIM',
    },
    { what: 'of another thing', token: tokenFor('probe-4'), code: 'FOREIGN_CLIENT_ID' },
  ])('refuses a token $what, and says why to the operator', async ({ token, code }) => {
    await expect(overMqtt('probe-3', named(token))).rejects.toThrow('Not authorized');
    const answer = await fetch(`${laptop.awsEndpoint}/refusals?limit=1&clientId=probe-3`);
    expect(await answer.json()).toMatchObject({
      refusals: [
        {
          reason: 'AUTHORIZER_NOT_AUTHENTICATED',
          principal: 'tributary-dev-signed',
          explanation: expect.stringContaining(`"code":"${code}"`),
        },
      ],
    });
  });

  it('has no authorizer that takes tokens or secrets unsigned', async () => {
    const parameters = { ...named(tokenFor('probe-5')), [NAME]: 'tributary-dev-jwt' };
    await expect(overMqtt('probe-5', parameters)).rejects.toThrow();
    expect(lastRefusalOf(laptop)).toMatchObject({ reason: 'AUTHORIZER_UNKNOWN_AUTHORIZER' });
  });

  it('asks again when it is time, and ends the connection with the token', async () => {
    const exp = Math.floor(Date.now() / 1000) + 900;
    const client = await overMqtt('probe-6', named(tokenFor('probe-6', { exp })));
    const ended = ending(client);
    laptop.advance(300_000);
    await waitFor(() => acceptances(laptop, 'probe-6') === 2);
    expect(client.connected).toBe(true);
    laptop.advance(600_000);
    expect(await ended).toBe(0x98);
  });

  it('asks once for what a kept connection shows, and again on a new one', async () => {
    const headers = named(tokenFor('probe-7'));
    const keepAlive = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const _ of [1, 2, 3]) {
      const status = await post(laptop, laptop.port443, topicOf('probe-7'), { headers, keepAlive });
      expect(status).toBe(200);
    }
    keepAlive.destroy();
    expect(acceptances(laptop, 'probe-7')).toBe(1);
    await post(laptop, laptop.port443, topicOf('probe-7'), { headers });
    expect(acceptances(laptop, 'probe-7')).toBe(2);
  });
});

describe('a stage with all its ways in', () => {
  let laptop: AccessLaptop;
  beforeAll(async () => {
    laptop = await bootAccess();
  });
  afterAll(() => laptop.close());

  it('starts, and names what of it does not run here', () => {
    const missing = laptop.notices.filter(({ kind }) => kind === 'unsupported');
    expect(missing.map(({ type }) => type).toSorted()).toEqual([
      'AWS::Cognito::IdentityPool',
      'AWS::Cognito::IdentityPoolRoleAttachment',
      'AWS::IoT::SecurityProfile',
    ]);
  });

  it.each<[string, (token: string) => Parameters<typeof connectWss>[3]]>([
    ['a header', (token) => ({ wsOptions: { headers: { token } } })],
    ['the query', (token) => ({ path: `?token=${token}` })],
    ['the user name', (token) => ({ username: `device?token=${token}` })],
    ['the password', (token) => ({ username: 'device', password: token })],
  ])('takes a JWT in %s over WSS, and none by a stranger', async (_, carry) => {
    const port = laptop.portOf('custom-wss');
    const client = await connectWss(laptop, port, 'probe-1', carry(tokenFor('probe-1')));
    await client.publishAsync(topicOf('probe-1'), '{"a": 1}', { qos: 1 });
    await client.endAsync();
    await expect(connectWss(laptop, port, 'probe-1', carry(tokenOf(stranger)))).rejects.toThrow();
    expect(lastRefusalOf(laptop)).toMatchObject({
      reason: 'AUTHORIZER_NOT_AUTHENTICATED',
      explanation: expect.stringContaining('"code":"BAD_SIGNATURE"'),
    });
  });

  it('lets nobody pass by a pinned domain, nor choose another authorizer there', async () => {
    const token = tokenFor('probe-2');
    const wsOptions = { headers: { token, [NAME]: 'tributary-dev-jwt' } };
    await expect(connectWss(laptop, laptop.port443, 'probe-2', { wsOptions })).rejects.toThrow();
    expect(lastRefusalOf(laptop)).toMatchObject({ action: 'iot:Connect' });
    await expect(
      connectWss(laptop, laptop.portOf('custom-wss'), 'probe-2', {
        wsOptions: { headers: { token, [NAME]: 'tributary-dev-password' } },
      }),
    ).rejects.toThrow();
    expect(lastRefusalOf(laptop)).toMatchObject({ reason: 'AUTHORIZER_OVERRIDE_NOT_ALLOWED' });
  });

  it('takes a signed token over HTTPS', async () => {
    const headers = signedParameters(tokenFor('probe-3'));
    const port = laptop.portOf('custom-https');
    expect(await post(laptop, port, topicOf('probe-3'), { headers })).toBe(200);
    const { token } = headers;
    expect(await post(laptop, port, topicOf('probe-3'), { headers: { token } })).toBe(401);
    expect(lastRefusalOf(laptop)).toMatchObject({ reason: 'AUTHORIZER_NO_TOKEN_SIGNATURE' });
  });

  describe('with a certificate and an authorizer', () => {
    const connect = (thing: string, options: Partial<IClientOptions>) =>
      connectMqtts(laptop, laptop.portOf('custom-x509-mqtt'), thing, options);
    const carrying = (token: string, signature?: string) => ({
      username: `device?${new URLSearchParams(signedParameters(token, signature))}`,
    });

    it('lets in who has both, over MQTT and HTTPS', async () => {
      const device = await laptop.addDevice('both-1', 'acme');
      const token = tokenFor('both-1');
      const client = await connect('both-1', { ...certificateOf(device), ...carrying(token) });
      await client.publishAsync(topicOf('both-1'), '{"a": 1}', { qos: 1 });
      await client.endAsync();
      const port = laptop.portOf('custom-x509-https');
      const how = { headers: signedParameters(token), identity: device };
      expect(await post(laptop, port, topicOf('both-1'), how)).toBe(200);
      expect(await post(laptop, port, topicOf('both-2'), how)).toBe(403);
    });

    it('refuses who has one of the two, or another’s', async () => {
      const device = await laptop.addDevice('both-3', 'acme');
      const token = tokenFor('both-3');
      await expect(connect('both-3', carrying(token))).rejects.toThrow();
      expect(lastRefusalOf(laptop)).toMatchObject({ reason: 'NO_CERTIFICATE' });
      await expect(connect('both-3', certificateOf(device))).rejects.toThrow();
      expect(lastRefusalOf(laptop)).toMatchObject({ reason: 'AUTHORIZER_NO_TOKEN' });
      const other = await laptop.addDevice('both-4', 'acme');
      await expect(
        connect('both-3', { ...certificateOf(other), ...carrying(token) }),
      ).rejects.toThrow();
      expect(lastRefusalOf(laptop)).toMatchObject({
        explanation: expect.stringContaining('"code":"WRONG_SUBJECT"'),
      });
      const headers = signedParameters(tokenFor('both-3'));
      const port = laptop.portOf('custom-x509-https');
      expect(await post(laptop, port, topicOf('both-3'), { headers })).toBe(401);
      expect(await post(laptop, port, topicOf('both-3'), { identity: device })).toBe(401);
    });
  });

  describe('holds back a contained device:', () => {
    const never = { sleep: async () => undefined, random: () => 0 };
    const table = () =>
      incidentTable(new DynamoDBClient(laptop.client), 'tributary-dev-incidents', never);
    const aMinute = () => 60_000;
    const incidentId = '0123456789abcdef';
    const hold = async (thing: string, rung: 'quarantine' | 'cut-off'): Promise<Denial> => {
      const holder = { incidentId, rung, cause: 'flood', by: 'test', atMs: Date.now() };
      const denial = held(thing, undefined, holder);
      await table().saveDenial(denial, aMinute);
      return denial;
    };
    const connect = (thing: string) =>
      connectWss(laptop, laptop.portOf('custom-wss'), thing, {
        username: 'device',
        password: tokenFor(thing),
      });

    it('quarantined, it connects and reads its notice, and may not publish', async () => {
      const denial = await hold('probe-7', 'quarantine');
      const client = await connect('probe-7');
      const [granted] = await client.subscribeAsync('alert/acme/probe-7', { qos: 1 });
      expect(granted?.qos).toBe(1);
      await expect(client.publishAsync(topicOf('probe-7'), '{"a": 1}', { qos: 1 })).rejects.toThrow(
        /Not authorized/,
      );
      await client.endAsync();

      await table().dropDenial(denial, aMinute);
      const free = await connect('probe-7');
      await free.publishAsync(topicOf('probe-7'), '{"a": 1}', { qos: 1 });
      await free.endAsync();
    });

    it('cut off, it is refused, and the refusal names the incident', async () => {
      await hold('probe-8', 'cut-off');
      await expect(connect('probe-8')).rejects.toThrow('Not authorized');
      expect(lastRefusalOf(laptop)).toMatchObject({
        reason: 'AUTHORIZER_NOT_AUTHENTICATED',
        clientId: 'probe-8',
        explanation: expect.stringContaining(`because of incident ${incidentId}`),
      });
    });

    it('contained while it is connected, it is held to it from the next refresh on', async () => {
      const client = await connect('probe-9');
      const denial = await hold('probe-9', 'quarantine');
      await client.publishAsync(topicOf('probe-9'), '{"a": 1}', { qos: 1 });
      laptop.advance(300_000);
      await waitFor(() => acceptances(laptop, 'probe-9') === 2);
      await expect(client.publishAsync(topicOf('probe-9'), '{"a": 1}', { qos: 1 })).rejects.toThrow(
        /Not authorized/,
      );

      await table().saveDenial(letGo(denial, incidentId), aMinute);
      laptop.advance(300_000);
      await waitFor(() => acceptances(laptop, 'probe-9') === 3);
      await client.publishAsync(topicOf('probe-9'), '{"a": 1}', { qos: 1 });
      await client.endAsync();
    });
  });
});

async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
  // the answer is on its way to the gateway once the function has logged it
  await new Promise((resolve) => setTimeout(resolve, 50));
}
