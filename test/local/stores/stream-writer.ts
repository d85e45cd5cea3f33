import { createStreamStore } from '../../../local/stores/stream-store.ts';

/** A process that puts records until it is killed, and prints the number of each that was acknowledged. */
const [, , directory = '', name = '', first = '0'] = process.argv;
const store = createStreamStore({ now: Date.now, directory, segmentBytes: 4_000 });
await store.create({ name, arn: 'arn', shardCount: 2, retentionHours: 24 });

async function write(start: number, step: number): Promise<never> {
  for (let number = start; ; number += step) {
    const text = `${number}`;
    const [result] = await store.put(name, [{ data: Buffer.from(text), partitionKey: text }]);
    if (result !== undefined && 'sequenceNumber' in result) process.stdout.write(`${text}\n`);
  }
}

await Promise.all([0, 1, 2].map((at) => write(Number(first) + at, 3)));
