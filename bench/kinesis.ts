import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kinesisOperations } from '../local/operations/kinesis/index.ts';
import { createAwsEndpoint } from '../local/servers/aws-endpoint.ts';
import { createStreamStore } from '../local/stores/stream-store.ts';

/*
 * CPU of the local Kinesis per record of a PutRecords, and records a second, over HTTP/1.1 with four
 * requests in flight. The server is a process of its own, so that the client's work does not count.
 */

const STREAM = 'bench';
const RECORD_BYTES = 200;
const IN_FLIGHT = 4;
const ROUNDS = 3;

/** In the child: serves, and tells its CPU time so far whenever it is asked. */
async function serve(directory: string | undefined): Promise<void> {
  const now = Date.now;
  const streams = createStreamStore({ now, ...(directory !== undefined && { directory }) });
  await streams.create({ name: STREAM, arn: 'arn', shardCount: 4, retentionHours: 24 });
  const endpoint = createAwsEndpoint({
    operations: kinesisOperations({ streams, accountId: '0', region: 'eu-central-1', now }),
    callerOf: () => ({ kind: 'operator' }),
    authorize: () => ({ allowed: true, explanation: '' }),
    now,
    log: () => undefined,
  });
  const url = await endpoint.listen(0);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ url, cpuUs: user + system });
  });
  process.send?.({ url, cpuUs: 0 });
}

type Report = { readonly url: string; readonly cpuUs: number };

async function reportOf(server: ChildProcess): Promise<Report> {
  server.send('report');
  const [report] = await once(server, 'message');
  return report as Report;
}

const bodyOf = (count: number): string =>
  JSON.stringify({
    StreamName: STREAM,
    Records: Array.from({ length: count }, (_, at) => ({
      Data: Buffer.alloc(RECORD_BYTES, at).toString('base64'),
      PartitionKey: `thing-${at}`,
    })),
  });

const post = (url: string, agent: Agent, body: string) =>
  new Promise<void>((resolve, reject) => {
    const headers = { 'x-amz-target': 'Kinesis_20131202.PutRecords' };
    const call = request(url, { method: 'POST', agent, headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
      answer.resume().on('end', resolve);
    });
    call.on('error', reject).end(body);
  });

async function measure(kind: string, directory: string | undefined, count: number): Promise<void> {
  const args = directory === undefined ? ['serve'] : ['serve', directory];
  const server = fork(import.meta.filename, args);
  const [{ url }] = (await once(server, 'message')) as [Report];
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const body = bodyOf(count);
  const calls = Math.ceil(50_000 / count);
  const run = async (): Promise<void> => {
    for (let at = 0; at < calls; at += IN_FLIGHT) {
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => post(url, agent, body)));
    }
  };
  await run();
  const rounds: { us: number; perSecond: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await reportOf(server);
    const startedAtMs = performance.now();
    await run();
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const { cpuUs } = await reportOf(server);
    const records = calls * count;
    rounds.push({ us: (cpuUs - before.cpuUs) / records, perSecond: records / seconds });
  }
  const us = Math.min(...rounds.map((round) => round.us)).toFixed(1);
  const perSecond = Math.round(Math.max(...rounds.map((round) => round.perSecond)));
  console.log(`${kind}, PutRecords x${count}: ${us} us CPU per record, ${perSecond} records/s`);
  agent.destroy();
  server.kill();
}

const [, , role, directory] = process.argv;
if (role === 'serve') {
  await serve(directory);
} else {
  for (const count of [500, 100]) {
    await measure('memory', undefined, count);
    const folder = mkdtempSync(join(tmpdir(), 'bench-kinesis-'));
    await measure('disk', folder, count);
    rmSync(folder, { recursive: true, force: true });
  }
}
