import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  connectAsync,
  connect as connectMqtt,
  type IClientOptions,
  type IConnackPacket,
  type MqttClient,
} from 'mqtt';
import { readSide } from '../../shared/adapters/readings/read-side.ts';
import type { Reading } from '../../shared/core/reading.ts';
import { type Device, openTarget, type Target } from './target.ts';

/** How long the cloud may take from a message to its reading. */
const PATIENCE_MS = 60_000;

let target: Target;
beforeAll(async () => {
  target = await openTarget();
}, PATIENCE_MS);
afterAll(() => target.close(), PATIENCE_MS);

const optionsFor = (device: Device): IClientOptions => ({
  protocol: 'mqtts',
  host: target.host,
  port: target.mqttPort,
  servername: target.host,
  clientId: device.thing,
  protocolVersion: 5,
  reconnectPeriod: 0,
  cert: device.certificatePem,
  key: device.privateKeyPem,
  ...(target.ca !== undefined && { ca: target.ca }),
});

const connect = (device: Device, options: IClientOptions = {}): Promise<MqttClient> =>
  connectAsync({ ...optionsFor(device), ...options });

const telemetry = ({ fleet, thing }: Device): string => `dt/${fleet}/${thing}/telemetry`;

const post = (device: Device, topic: string, payload: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const identity = { cert: device.certificatePem, key: device.privateKeyPem };
    const agent = new Agent({ ...identity, ...(target.ca !== undefined && { ca: target.ca }) });
    const path = `/topics/${topic}?qos=1`;
    const call = request(
      { agent, host: target.host, port: target.httpsPort, method: 'POST', path },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    call.on('error', reject);
    call.end(payload);
  });

/** Asks until something is stored, or patience ends. */
async function stored({ thing }: Device): Promise<Reading[]> {
  const tables = readSide(new DynamoDBClient(target.client), {
    readings: `tributary-${target.stage}-readings`,
    devices: `tributary-${target.stage}-devices`,
  });
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const range = { fromMs: Date.now() - 3_600_000, toMs: Date.now() + 3_600_000 };
    const readings = await Array.fromAsync(tables.history(thing, range));
    if (readings.length > 0 || Date.now() > until) return readings;
    await sleep(500);
  }
}

/** Resolves with what ended the connection: the reason code of a v5 DISCONNECT, or nothing. */
const ending = (client: MqttClient): Promise<number | undefined> =>
  new Promise((resolve) => {
    client.once('disconnect', ({ reasonCode }) => resolve(reasonCode));
    client.once('close', () => resolve(undefined));
  });

describe('a device with its own certificate', () => {
  it.each([4, 5] as const)(
    'publishes over MQTT, protocol version %s, and is stored',
    async (protocolVersion) => {
      const device = await target.newDevice();
      const client = await connect(device, { protocolVersion });
      await client.publishAsync(telemetry(device), '{"temperature": 21.5}', { qos: 1 });
      await client.endAsync();
      expect(await stored(device)).toEqual([
        expect.objectContaining({
          thing: device.thing,
          transport: 'mqtt',
          metrics: { temperature: 21.5 },
        }),
      ]);
    },
    2 * PATIENCE_MS,
  );

  it(
    'publishes over HTTPS and is stored',
    async () => {
      const device = await target.newDevice();
      expect(await post(device, telemetry(device), '{"temperature": 21.5}')).toBe(200);
      expect(await stored(device)).toEqual([expect.objectContaining({ transport: 'https' })]);
    },
    2 * PATIENCE_MS,
  );

  it('is told in CONNACK what the broker can do', async () => {
    const device = await target.newDevice();
    const client = connectMqtt({ ...optionsFor(device), keepalive: 5 });
    const connack = new Promise<IConnackPacket>((resolve) => client.once('connect', resolve));
    expect((await connack).properties).toMatchObject({
      maximumQoS: 1,
      subscriptionIdentifiersAvailable: false,
      serverKeepAlive: 30,
    });
    await client.endAsync();
  });
});

describe('is refused:', () => {
  it('a client id that is not the thing', async () => {
    const device = await target.newDevice();
    await expect(connect(device, { clientId: `${device.thing}-2` })).rejects.toThrow(
      /not authorized/i,
    );
  });

  it('a publish to another device’s topic', async () => {
    const device = await target.newDevice();
    const client = await connect(device);
    const ended = ending(client);
    const published = client.publishAsync('dt/conformance/somebody/telemetry', '{}', { qos: 1 });
    await expect(
      Promise.race([published, ended.then(() => Promise.reject(new Error('closed')))]),
    ).rejects.toThrow();
    await client.endAsync(true);
  });

  it('a publish with QoS 2', async () => {
    const device = await target.newDevice();
    const client = await connect(device);
    const ended = ending(client);
    client.publish(telemetry(device), '{}', { qos: 2 });
    expect([0x9b, undefined]).toContain(await ended);
    await client.endAsync(true);
  });

  it('a subscription to everything', async () => {
    const device = await target.newDevice();
    const client = await connect(device);
    const granted = await client.subscribeAsync('#').catch(() => []);
    expect(granted.every(({ qos }) => qos >= 128)).toBe(true);
    await client.endAsync(true);
  });

  it('an HTTPS publish to another device’s topic', async () => {
    const device = await target.newDevice();
    expect(await post(device, 'dt/conformance/somebody/telemetry', '{}')).toBe(403);
  });

  it('an HTTPS publish of more than 128 KB', async () => {
    const device = await target.newDevice();
    expect(await post(device, telemetry(device), 'x'.repeat(128 * 1024 + 1))).toBe(413);
  });
});
