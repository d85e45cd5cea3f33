import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import {
  bootLaptop,
  connectDevice,
  publishHttps,
  storedReadings,
  type TestLaptop,
} from '../support/laptop.ts';
import type { Template } from '../support/template.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tributary-data-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const boot = (change?: (template: Template) => void): Promise<TestLaptop> =>
  bootLaptop({ directory, certificateDirectory: directory, ...(change && { change }) });

/** No function reads its stream: what is published stays there. */
function pauseFunctions(template: Template): void {
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type === 'AWS::Lambda::EventSourceMapping')
      Object.assign(Properties ?? {}, { Enabled: false });
  }
}

it('what was published and not yet read is stored after a restart, once', async () => {
  const first = await boot(pauseFunctions);
  const device = await first.addDevice('probe-1', 'acme');
  for (const seq of [1, 2, 3]) {
    await publishHttps(first, device, 'dt/acme/probe-1/telemetry', JSON.stringify({ seq, v: seq }));
  }
  await first.close();

  const second = await boot();
  await second.idle();
  const stored = await storedReadings(second, 'probe-1');
  expect(stored.map(({ metrics }) => metrics['v'])).toEqual([1, 2, 3]);
  await second.close();

  const third = await boot();
  await third.idle();
  expect(await storedReadings(third, 'probe-1')).toEqual(stored);
  await third.close();
});

it('a device keeps its certificate', async () => {
  const first = await boot();
  const kept = await first.addDevice('kept', 'acme');
  const again = await first.addDevice('kept', 'acme');
  expect(again.certificatePem).toBe(kept.certificatePem);
  await first.close();

  const second = await boot();
  const client = await connectDevice(second, kept);
  await client.endAsync();
  await second.close();
});
