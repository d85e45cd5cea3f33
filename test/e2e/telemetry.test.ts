import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encode } from 'cborg';
import { deviceFiles } from '../../local/boot/devices.ts';
import {
  bootLaptop,
  connectDevice,
  deadLetters,
  publishHttps,
  storedReadings,
  type TestLaptop,
  tablesOf,
} from '../support/laptop.ts';

let laptop: TestLaptop;

beforeAll(async () => {
  laptop = await bootLaptop();
});
afterAll(() => laptop.close());

const at = (ms: number) => ({ ts: ms });

describe('a device publishes telemetry', () => {
  it.each([4, 5] as const)(
    'by MQTT, protocol version %s, and it is stored as a reading',
    async (protocolVersion) => {
      const device = await laptop.addDevice(`mqtt-${protocolVersion}`, 'acme');
      const client = await connectDevice(laptop, device, { protocolVersion });
      const sentAtMs = Date.now();
      await client.publishAsync(
        `dt/acme/${device.thing}/telemetry`,
        JSON.stringify({
          ...at(sentAtMs),
          temperature: { value: 21.5, unit: 'Cel' },
          door: 'closed',
        }),
        { qos: 1 },
      );
      await client.endAsync();
      await laptop.idle();
      expect(await storedReadings(laptop, device.thing)).toEqual([
        expect.objectContaining({
          thing: device.thing,
          fleet: 'acme',
          kind: 'telemetry',
          transport: 'mqtt',
          sourceIp: '127.0.0.1',
          observedAtMs: sentAtMs,
          metrics: { temperature: 21.5, door: 'closed' },
          units: { temperature: 'Cel' },
          principal: expect.stringMatching(/^[0-9a-f]{64}$/),
          traceId: expect.any(String),
        }),
      ]);
    },
  );

  it('by HTTPS, and the reading says so', async () => {
    const device = await laptop.addDevice('https-1', 'acme');
    const answer = await publishHttps(
      laptop,
      device,
      'dt/acme/https-1/telemetry',
      '{"temperature": 3}',
    );
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ message: 'OK' });
    await laptop.idle();
    const [reading, ...others] = await storedReadings(laptop, 'https-1');
    expect(others).toEqual([]);
    expect(reading).toMatchObject({ transport: 'https', metrics: { temperature: 3 } });
    expect(reading).not.toHaveProperty('traceId');
  });

  it('in CBOR, and as an array of timed samples', async () => {
    const device = await laptop.addDevice('cbor-1', 'acme');
    const client = await connectDevice(laptop, device);
    const now = Date.now();
    const samples = [1, 2, 3].map((value) => ({ ...at(now - 10_000 * (4 - value)), value }));
    await client.publishAsync('dt/acme/cbor-1/telemetry', Buffer.from(encode(samples)), { qos: 1 });
    await client.endAsync();
    await laptop.idle();
    const readings = await storedReadings(laptop, 'cbor-1');
    expect(readings.map(({ metrics, observedAtMs }) => [metrics, observedAtMs])).toEqual(
      samples.map(({ value, ts }) => [{ value }, ts]),
    );
  });

  it('by Basic Ingest, through the same rule', async () => {
    const device = await laptop.addDevice('basic-1', 'acme');
    const client = await connectDevice(laptop, device);
    await client.publishAsync(
      '$aws/rules/tributary_dev_telemetry/dt/acme/basic-1/status',
      '{"uptime": 7}',
      { qos: 1 },
    );
    await client.endAsync();
    await laptop.idle();
    expect(await storedReadings(laptop, 'basic-1')).toEqual([
      expect.objectContaining({ kind: 'status', metrics: { uptime: 7 } }),
    ]);
  });

  it('twice with its own message id, and it is one reading', async () => {
    const device = await laptop.addDevice('twice-1', 'acme');
    const client = await connectDevice(laptop, device);
    for (const temperature of [1, 1]) {
      await client.publishAsync(
        'dt/acme/twice-1/telemetry',
        JSON.stringify({ mid: 'a-1', temperature }),
        { qos: 1 },
      );
      await laptop.idle();
    }
    await client.endAsync();
    expect(await storedReadings(laptop, 'twice-1')).toHaveLength(1);
  });

  it('twice without time, counter or id, and it is two readings', async () => {
    const device = await laptop.addDevice('equal-1', 'acme');
    for (let count = 0; count < 2; count += 1) {
      await publishHttps(laptop, device, 'dt/acme/equal-1/telemetry', '{"temperature": 1}');
    }
    await laptop.idle();
    expect(await storedReadings(laptop, 'equal-1')).toHaveLength(2);
  });

  it('with mosquitto_pub, word for word as `npm start` prints it', async () => {
    if (spawnSync('mosquitto_pub', ['--help']).error !== undefined) return; // not on this machine
    const { thing } = await laptop.addDevice('mosquitto-1', 'acme');
    const { certificateFile, keyFile } = deviceFiles(laptop.devicesDirectory, thing);
    const options = ['-h', 'localhost', '-p', String(laptop.mqttPort), '--cafile', laptop.caFile]
      .concat(['--cert', certificateFile, '--key', keyFile, '-i', thing, '-q', '1'])
      .concat(['-t', `dt/acme/${thing}/telemetry`, '-m', '{"temperature": 21.5}']);
    await promisify(execFile)('mosquitto_pub', options, { timeout: 20_000 });
    await laptop.idle();
    expect(await storedReadings(laptop, thing)).toHaveLength(1);
  });
});

describe('the tables answer', () => {
  it('the newest reading of each kind, whatever order they came in', async () => {
    const device = await laptop.addDevice('latest-1', 'acme');
    const now = Date.now();
    for (const [kind, ts, value] of [
      ['telemetry', now - 1000, 2],
      ['telemetry', now - 9000, 1],
      ['status', now - 5000, 3],
    ] as const) {
      await publishHttps(laptop, device, `dt/acme/latest-1/${kind}`, JSON.stringify({ ts, value }));
      await laptop.idle();
    }
    const latest = await tablesOf(laptop).latest('latest-1');
    expect(latest.map(({ kind, metrics }) => [kind, metrics['value']])).toEqual([
      ['status', 3],
      ['telemetry', 2],
    ]);
  });

  it('a range of a device over days, the newest first', async () => {
    const device = await laptop.addDevice('range-1', 'acme');
    const now = Date.now();
    const hours = [1, 20, 30, 50, 100];
    const samples = hours.map((hour) => ({ ts: now - hour * 3_600_000, hour }));
    await publishHttps(laptop, device, 'dt/acme/range-1/telemetry', JSON.stringify(samples));
    await laptop.idle();
    const range = { fromMs: now - 50 * 3_600_000, toMs: now - 20 * 3_600_000 };
    const found = await Array.fromAsync(tablesOf(laptop).history('range-1', range));
    expect(found.map(({ metrics }) => metrics['hour'])).toEqual([20, 30, 50]);
  });

  it('the devices of a fleet, and none of another', async () => {
    const things = ['pool-1', 'pool-2', 'pool-3'];
    for (const thing of things) {
      const device = await laptop.addDevice(thing, 'pool');
      await publishHttps(laptop, device, `dt/pool/${thing}/telemetry`, '{"v": 1}');
    }
    await laptop.idle();
    const found = await Array.fromAsync(tablesOf(laptop).devices('pool'));
    expect(found.map(({ thing }) => thing).toSorted()).toEqual(things);
  });
});

it('nothing of all this went to the dead letters', async () => {
  expect(await deadLetters(laptop)).toEqual([]);
});
