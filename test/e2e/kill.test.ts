import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { DeviceIdentity } from '../../local/fleet/device.ts';
import { connectDevice, storedReadings } from '../support/laptop.ts';
import { copyOfProject, type Running } from '../support/project-copy.ts';

const OFFSET = 23_000;
const KILLS = 3;
const PATIENCE_MS = 30_000;

let project: ReturnType<typeof copyOfProject>;
beforeAll(() => {
  project = copyOfProject();
});
afterAll(() => project.remove());

const ports = { mqttPort: 8883 + OFFSET };
const client = {
  endpoint: `http://127.0.0.1:${4566 + OFFSET}`,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'operator', secretAccessKey: 'operator' },
};

async function boot(): Promise<Running> {
  const running = project.start(
    'start',
    '--no-fleet',
    '--port-offset',
    String(OFFSET),
    '--data',
    'data',
  );
  await running.says(/Ctrl-C ends it/);
  return running;
}

const file = (...path: string[]): string =>
  readFileSync(join(project.folder, 'data', ...path), 'utf8');

const ownDevice = (): DeviceIdentity => ({
  thing: 'my-device',
  fleet: 'demo',
  certificatePem: file('devices', 'my-device', 'certificate.pem'),
  privateKeyPem: file('devices', 'my-device', 'private.key'),
  caPem: file('pki', 'ca.pem'),
});

/** Publishes without pause until the connection breaks. @returns the numbers that were acknowledged */
async function publishUntilCut(from: number, running: Running): Promise<number[]> {
  const device = await connectDevice(ports, ownDevice());
  device.on('error', () => undefined);
  const acknowledged: number[] = [];
  let next = from;
  const lane = async () => {
    for (;;) {
      const number = next++;
      const payload = JSON.stringify({ mid: `m-${number}`, number });
      await device.publishAsync('dt/demo/my-device/telemetry', payload, { qos: 1 });
      acknowledged.push(number);
    }
  };
  const cut = new Promise<void>((resolve) => device.once('close', () => resolve()));
  const lanes = Array.from({ length: 8 }, () => lane().catch(() => undefined));
  setTimeout(running.kill, 700);
  await cut;
  await device.endAsync(true);
  await Promise.all(lanes);
  return acknowledged;
}

it('what was acknowledged is stored once, although the laptop was killed again and again', async () => {
  const acknowledged: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const running = await boot();
    acknowledged.push(...(await publishUntilCut(kill * 100_000, running)));
    await running.ended;
  }
  expect(acknowledged.length).toBeGreaterThan(100);

  const last = await boot();
  const missing = async () => {
    const stored = (await storedReadings({ client }, 'my-device')).map(({ metrics }) =>
      Number(metrics['number']),
    );
    const known = new Set(stored);
    return {
      twice: stored.length - known.size,
      lost: acknowledged.filter((number) => !known.has(number)),
    };
  };
  const until = Date.now() + PATIENCE_MS;
  let found = await missing();
  while (found.lost.length > 0 && Date.now() < until) {
    await sleep(500);
    found = await missing();
  }
  expect(found).toEqual({ twice: 0, lost: [] });
  last.interrupt();
  await last.ended;
});
