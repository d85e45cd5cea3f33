import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  COMPILED_TEMPLATE,
  PACKAGE_DIRECTORY,
  packageService,
} from '../../commands/package-service.ts';
import { countCalls } from '../../commands/tally.ts';
import { startLaptop } from '../../local/cloud.ts';
import type { PublisherTask } from './publisher.ts';

const DEVICES = 20;
const MESSAGES_EACH = 1000;
const IN_FLIGHT = 20;

export interface EndToEnd {
  readonly messages: number;
  readonly devices: number;
  /** Messages a second until the last PUBACK. */
  readonly acknowledgedPerSecond: number;
  /** Messages a second until the last reading is in its table. */
  readonly storedPerSecond: number;
  readonly readingsStored: number;
}

/** QoS 1 over mutual TLS into the packaged service on this machine, until every reading is stored. */
export async function measureEndToEnd(): Promise<EndToEnd> {
  await packageService('dev');
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  const tally = countCalls('dev');
  const laptop = await startLaptop({
    templateFile: COMPILED_TEMPLATE,
    packageDirectory: PACKAGE_DIRECTORY,
    certificateDirectory: folder,
    ports: { aws: 0, mqtt: 0, https: 0 },
    log: () => undefined,
    onCall: tally.observe,
  });
  const devices = await Promise.all(
    Array.from({ length: DEVICES }, (_, index) => laptop.addDevice(`bench-${index}`, 'bench')),
  );
  const task: PublisherTask = {
    devices,
    mqttPort: laptop.mqttPort,
    messagesEach: MESSAGES_EACH,
    inFlight: IN_FLIGHT,
  };
  const publisher = new Worker(new URL('./publisher.ts', import.meta.url), { workerData: task });
  await once(publisher, 'message');
  const startedAt = performance.now();
  publisher.postMessage('go');
  await once(publisher, 'message');
  const acknowledgedAt = performance.now();
  await laptop.idle();
  const storedAt = performance.now();
  await publisher.terminate();
  const { readings } = tally.with(laptop.counters());
  await laptop.close();
  rmSync(folder, { recursive: true, force: true });
  const messages = DEVICES * MESSAGES_EACH;
  const perSecond = (until: number) => Math.round((messages / (until - startedAt)) * 1000);
  return {
    messages,
    devices: DEVICES,
    acknowledgedPerSecond: perSecond(acknowledgedAt),
    storedPerSecond: perSecond(storedAt),
    readingsStored: readings['mqtt'] ?? 0,
  };
}
