import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MqttClient } from 'mqtt';
import { connected, openWorld, until, type World } from './gateway-world.ts';

const run = promisify(execFile);

const isThere = (command: string): Promise<boolean> =>
  run(command, ['--help']).then(
    () => true,
    (error: { code?: unknown }) => error.code !== 'ENOENT',
  );

const withMosquitto = (await isThere('mosquitto_pub')) ? it : it.skip;

let world: World;
let folder: string;

beforeEach(async () => {
  world = await openWorld();
  folder = await mkdtemp(join(tmpdir(), 'gateway-'));
});

afterEach(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

async function mosquitto(thing: string, ...more: string[]): Promise<string> {
  const { certificatePem, privateKeyPem } = await world.device(thing);
  const files = { ca: world.ca.certificatePem, cert: certificatePem, key: privateKeyPem };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const tls = Object.keys(files).flatMap((name) => [
    name === 'ca' ? '--cafile' : `--${name}`,
    join(folder, name),
  ]);
  const to = ['-h', 'localhost', '-p', String(world.ports.mqttPort), '-i', thing, ...tls];
  return run('mosquitto_pub', [...to, ...more]).then(
    () => 'ok',
    (error: { stderr: string }) => error.stderr.trim(),
  );
}

describe('mosquitto_pub', () => {
  withMosquitto.each(['mqttv311', 'mqttv5'])('publishes with %s', async (version) => {
    const topic = 'dt/f1/t1/telemetry';
    expect(await mosquitto('t1', '-V', version, '-q', '1', '-t', topic, '-m', '{"a":1}')).toBe(
      'ok',
    );
    expect(world.messages()).toMatchObject([{ topic, clientId: 't1', protocol: 'mqtt' }]);
  });

  withMosquitto('is refused under the name of another device', async () => {
    await world.device('t2');
    const seen = await mosquitto('t1', '-i', 't2', '-q', '1', '-t', 'dt/f1/t2/x', '-m', 'x');
    expect(seen).toMatch(/not authori[sz]ed|refused/i);
    expect(world.messages()).toEqual([]);
  });
});

/** Ten devices, each acting as each: by client id, by topic, by filter. */
describe('of all devices', () => {
  const names = Array.from({ length: 10 }, (_, n) => `m${n}`);

  it('each acts as itself and none as another', async () => {
    const clients = new Map<string, MqttClient>();
    for (const name of names) {
      clients.set(name, await connected(await world.client(name, { protocolVersion: 5 })));
    }
    const done: string[] = [];
    for (const [actor, client] of clients) {
      for (const victim of names) {
        const topic = `dt/f1/${victim}/x`;
        const published = await client.publishAsync(topic, '', { qos: 1 }).then(
          () => true,
          () => false,
        );
        const [granted] = await client.subscribeAsync(`${topic}/#`, { qos: 1 }).catch(() => []);
        if (published) done.push(`${actor} published as ${victim}`);
        if (granted !== undefined && granted.qos < 0x80)
          done.push(`${actor} listened to ${victim}`);
      }
    }
    expect(done).toEqual(
      names.flatMap((name) => [`${name} published as ${name}`, `${name} listened to ${name}`]),
    );
    expect(world.gateway.counters()).toMatchObject({
      accepted: { mqtt: 10 },
      refused: { 'iot:Publish': 90, 'iot:Subscribe': 90 },
      open: 10,
    });
  });

  it('none pushes another out by taking its name', async () => {
    const victim = await connected(await world.client('m1'));
    const { certificatePem, privateKeyPem } = await world.device('m2');
    const thief = await world.client('m1', { cert: certificatePem, key: privateKeyPem });
    await expect(connected(thief)).rejects.toThrow(/Not authorized/);
    expect(victim.connected).toBe(true);
    expect(world.log.at(-1)).toMatchObject({
      action: 'iot:Connect',
      clientId: 'm1',
      explanation: expect.any(String),
      fix: expect.any(String),
    });
  });
});

describe('the gateway', () => {
  it('delivers what the service publishes, and ends connections on demand', async () => {
    const client = await connected(await world.client('t1', { protocolVersion: 5 }));
    const got: string[] = [];
    client.on('message', (topic, payload) => got.push(`${topic} ${payload.toString()}`));
    await client.subscribeAsync('room/#', { qos: 1 });
    await world.gateway.deliver({ topic: 'room/1', payload: Buffer.from('hi'), qos: 1 });
    await until('it arrives', () => got.length === 1);
    expect(got).toEqual(['room/1 hi']);
    expect(world.gateway.disconnect('t1')).toBe(true);
    await until('it is gone', () => !client.connected);
    expect(world.gateway.disconnect('t1')).toBe(false);
    expect(world.lifecycle().at(-1)).toMatchObject({
      disconnectReason: 'API_INITIATED_DISCONNECT',
    });
  });

  it.each([
    ['room/#', 'x', /wildcard/],
    ['$aws/things/t1/shadow/update', 'x', /Device Shadow/],
    ['room/1', 'x'.repeat(131_073), /131073 bytes/],
  ])('refuses to deliver to %s what cannot be', async (topic, payload, problem) => {
    const delivering = world.gateway.deliver({ topic, payload: Buffer.from(payload) });
    await expect(delivering).rejects.toThrow(problem);
  });

  it('closes though a peer is silent in its handshake', async () => {
    const socket = connectTcp(world.ports.mqttPort, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const startedAt = Date.now();
    await world.close();
    expect(Date.now() - startedAt).toBeLessThan(2000);
    socket.destroy();
  });

  it.each(['mqttPort', 'httpsPort'] as const)(
    'says which port is taken (%s), and keeps none itself',
    async (taken) => {
      const ports = { mqttPort: 0, httpsPort: 0, [taken]: world.ports[taken] };
      await expect(openWorld({ ports })).rejects.toMatchObject({
        code: 'EADDRINUSE',
        port: world.ports[taken],
      });
    },
  );

  it('drops what a subscriber does not read instead of piling it up, and others do not wait', async () => {
    await world.close();
    world = await openWorld({ limits: { writeBufferBytes: 64 * 1024 } });
    const slow = await connected(await world.client('t1'));
    await slow.subscribeAsync('room/#', { qos: 0 });
    slow.stream.pause();
    const publisher = await connected(await world.client('t2'));
    const payload = Buffer.alloc(100_000);
    for (let n = 0; n < 200; n += 1) await publisher.publishAsync('room/1', payload, { qos: 1 });
    expect(world.messages()).toHaveLength(200);
    expect(world.gateway.counters().refused).toMatchObject({ SLOW_CONSUMER: 1 });
  });
});
