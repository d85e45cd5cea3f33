import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { openIncidentDesk } from '../../commands/incident-desk.ts';
import { incidentRemark } from '../../commands/remark.ts';
import type { LaptopFile } from '../../commands/target.ts';
import type { LaptopOptions } from '../../local/cloud.ts';
import { systemClock } from '../../local/runtime/lambda-clock.ts';
import type { Remark } from '../../local/runtime/refusal-book.ts';
import type { Incident } from '../../shared/core/security/incident.ts';
import { bootLaptop } from './laptop.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** As somebody would deploy it who has seen what containment proposes, with the watch of the control plane. */
const PARAMS = {
  containment: 'contain',
  controlPlaneWatch: 'enabled',
  trail: 'enabled',
  batchWindowSeconds: '0',
} as const;

/** The laptop with containment switched on, and what was called and announced on it, by its clock. */
export async function bootSecurity(
  options: Pick<LaptopOptions, 'propagationDelayMs' | 'timers'> = {},
) {
  const calls: { readonly target: string; readonly input: unknown; readonly atMs: number }[] = [];
  const announced: unknown[] = [];
  const later: { remark?: Remark } = {};
  const laptop = await bootLaptop({
    ...options,
    params: PARAMS,
    clock: systemClock,
    onCall: ({ target, input }) => void calls.push({ target, input, atMs: systemClock.now() }),
    onEvent: (event) => void announced.push(event),
    remark: async (refusal) => later.remark?.(refusal),
  });
  const target = { client: laptop.client, stage: 'dev' };
  later.remark = incidentRemark(target);
  // a function that has run of late: how long this machine takes to start one is nothing of ours
  await new LambdaClient(laptop.client).send(
    new InvokeCommand({ FunctionName: 'tributary-dev-defend', Payload: '{"tick":"sweep"}' }),
  );
  const folder = mkdtempSync(join(tmpdir(), 'tributary-desk-'));
  const file: LaptopFile = {
    pid: process.pid,
    stage: 'dev',
    region: laptop.region,
    accountId: laptop.accountId,
    awsEndpoint: laptop.awsEndpoint,
    mqttPort: laptop.mqttPort,
    httpsPort: laptop.httpsPort,
    port443: laptop.port443,
    domains: [],
    caFile: laptop.caFile,
    devicesDirectory: laptop.devicesDirectory,
  };
  mkdirSync(join(folder, '.tributary'));
  writeFileSync(join(folder, '.tributary/laptop.json'), JSON.stringify(file));
  return {
    ...laptop,
    calls,
    announced,
    /** From the finding about a thing to the end of its session, in milliseconds of the laptop's clock. */
    cutOffAfterMs: (thing: string): number => {
      const atOf = (target: string) =>
        calls.find(
          (call) => call.target.startsWith(target) && JSON.stringify(call.input).includes(thing),
        )?.atMs ?? Number.NaN;
      return atOf('DELETE /connections') - atOf('sns.');
    },
    incidents: (): Promise<readonly Incident[]> => openIncidentDesk(target).list(),
    /** Types `npm run <args>` where the laptop runs. */
    run: (...args: string[]) => typed(folder, args),
    close: async () => {
      await laptop.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type SecurityLaptop = Awaited<ReturnType<typeof bootSecurity>>;

const typed = (cwd: string, args: readonly string[]) =>
  new Promise<{ readonly code: number | null; readonly out: string }>((done) => {
    const child = spawn(process.execPath, [join(ROOT, 'commands/main.js'), ...args], { cwd });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
    }
    child.once('close', (code) => done({ code, out }));
  });

/** Looks again until it is so: what a device does reaches the streams a moment after its connection has ended. */
export async function eventually<Value>(
  look: () => Promise<Value>,
  isSo: (value: Value) => boolean,
): Promise<Value> {
  for (let tries = 0; ; tries += 1) {
    const value = await look();
    if (isSo(value)) return value;
    if (tries > 1_000) throw new Error(`it did not come to be so: ${JSON.stringify(value)}`);
    await delay(10);
  }
}
