import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { LogEntry } from '../../../local/core/log.ts';
import {
  createStreamStore,
  type PutResult,
  type StreamStore,
  type StreamStoreOptions,
} from '../../../local/stores/stream-store.ts';

const NAME = 'tributary-test-uplinks';
const SHARD = 'shardId-000000000000';
const definition = (shardCount = 1) => ({
  name: NAME,
  arn: `arn:aws:kinesis:eu-central-1:000000000000:stream/${NAME}`,
  shardCount,
  retentionHours: 24,
});
const WRITER = join(import.meta.dirname, 'stream-writer.ts');
const HOUR_MS = 3_600_000;

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'streams-'));
  undo.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

function openStore(options: Partial<StreamStoreOptions> = {}): StreamStore {
  const store = createStreamStore({ now: () => 1_700_000_000_000, ...options });
  undo.push(() => store.close());
  return store;
}

async function newStore(options: Partial<StreamStoreOptions> = {}, shardCount = 1) {
  const store = openStore(options);
  await store.create(definition(shardCount));
  return store;
}

const record = (text: string, partitionKey = 'probe-1') => ({
  data: Buffer.from(text),
  partitionKey,
});
const put = (store: StreamStore, ...texts: string[]) =>
  store.put(
    NAME,
    texts.map((text) => record(text)),
  );
const texts = (store: StreamStore, shardId = SHARD): string[] =>
  store.read(NAME, shardId, 'TRIM_HORIZON', 10_000).map(({ data }) => Buffer.from(data).toString());
const sequences = (results: readonly PutResult[]): string[] =>
  results.map((result) => ('sequenceNumber' in result ? result.sequenceNumber : ''));

const shardFolder = (directory: string): string => {
  const [folder = ''] = readdirSync(directory).filter((name) => name.endsWith(NAME));
  return join(directory, folder, SHARD);
};
const logFiles = (directory: string): string[] =>
  readdirSync(shardFolder(directory))
    .sort()
    .map((file) => join(shardFolder(directory), file));

describe.each([
  { kind: 'in memory', options: () => ({}) },
  { kind: 'on disk', options: () => ({ directory: newDirectory() }) },
])('a stream store $kind', ({ options }) => {
  it('gives back records with all they were put with, in order', async () => {
    const store = await newStore(options());
    const results = await store.put(NAME, [record('a', 'größe-1'), record('', 'probe-2')]);
    expect(store.read(NAME, SHARD, 'TRIM_HORIZON', 10)).toEqual([
      {
        sequenceNumber: sequences(results)[0],
        shardId: SHARD,
        partitionKey: 'größe-1',
        data: Buffer.from('a'),
        arrivedAtMs: 1_700_000_000_000,
      },
      {
        sequenceNumber: sequences(results)[1],
        shardId: SHARD,
        partitionKey: 'probe-2',
        data: Buffer.from(''),
        arrivedAtMs: 1_700_000_000_000,
      },
    ]);
  });

  it('keeps a partition key on one shard and spreads many over all', async () => {
    const store = await newStore(options(), 4);
    const keys = Array.from({ length: 400 }, (_, at) => `probe-${at % 200}`);
    const results = await store.put(
      NAME,
      keys.map((key) => record('x', key)),
    );
    const shards = new Map<string, Set<string>>();
    for (const [at, key] of keys.entries()) {
      const { shardId } = { shardId: '', ...results[at] };
      shards.set(key, (shards.get(key) ?? new Set()).add(shardId));
    }
    expect([...shards.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set([...shards.values()].flatMap((ids) => [...ids])).size).toBe(4);
  });

  it('puts a record where its explicit hash key says', async () => {
    const store = await newStore(options(), 4);
    const results = await store.put(NAME, [
      { ...record('first'), explicitHashKey: '0' },
      { ...record('last'), explicitHashKey: String(2n ** 128n - 1n) },
    ]);
    expect(results).toMatchObject([{ shardId: SHARD }, { shardId: 'shardId-000000000003' }]);
  });

  it('reads from each kind of position', async () => {
    let nowMs = 1_000;
    const store = await newStore({ ...options(), now: () => nowMs });
    const [first = '', second = ''] = sequences(await put(store, 'a', 'b'));
    nowMs = 2_000;
    await put(store, 'c');
    const read = (from: Parameters<StreamStore['read']>[2]) =>
      store.read(NAME, SHARD, from, 10).map(({ data }) => Buffer.from(data).toString());
    expect(read('TRIM_HORIZON')).toEqual(['a', 'b', 'c']);
    expect(read({ at: second })).toEqual(['b', 'c']);
    expect(read({ after: first })).toEqual(['b', 'c']);
    expect(read({ timestampMs: 1_001 })).toEqual(['c']);
    expect(read({ timestampMs: 0 })).toEqual(['a', 'b', 'c']);
    expect(read({ timestampMs: 2_001 })).toEqual([]);
    expect(read('LATEST')).toEqual([]);
    expect(read({ after: store.startingSequence(NAME, SHARD) })).toEqual(['a', 'b', 'c']);
  });

  it('fixes LATEST when it is resolved', async () => {
    const store = await newStore(options());
    await put(store, 'before');
    const at = store.resolve(NAME, SHARD, 'LATEST');
    await put(store, 'after');
    expect(store.read(NAME, SHARD, { at }, 10)).toMatchObject([{ data: Buffer.from('after') }]);
  });

  it('tells listeners of records that can be read, until they leave', async () => {
    const store = await newStore(options());
    const heard: unknown[] = [];
    const leave = store.onAppend((stream, shard) => heard.push([stream, shard, texts(store)]));
    await put(store, 'a');
    leave();
    await put(store, 'b');
    expect(heard).toEqual([[NAME, SHARD, ['a']]]);
  });

  it('is not disturbed by a listener that throws', async () => {
    const store = await newStore(options());
    store.onAppend(() => {
      throw new Error('deaf');
    });
    expect(sequences(await put(store, 'a'))).toEqual([expect.stringMatching(/^49\d{54}$/)]);
  });

  it('leaves out records past their retention, at the horizon and in between', async () => {
    let nowMs = 0;
    const store = await newStore({ ...options(), now: () => nowMs, segmentBytes: 100 });
    for (let hour = 0; hour < 30; hour += 1) {
      nowMs = hour * HOUR_MS;
      await put(store, `hour ${hour}`);
    }
    expect(texts(store)[0]).toBe('hour 6');
    expect(texts(store)).toHaveLength(24);
  });

  it('drops the oldest records of a shard that grew too large, and says so once', async () => {
    const said: LogEntry[] = [];
    const log = (entry: LogEntry) => said.push(entry);
    const store = await newStore({ ...options(), log, segmentBytes: 200, maxShardBytes: 1_000 });
    for (let at = 0; at < 60; at += 1) await put(store, `record ${at}`);
    expect(texts(store).at(-1)).toBe('record 59');
    expect(texts(store).length).toBeLessThan(40);
    expect(said).toMatchObject([{ level: 'warn', message: expect.stringContaining(NAME) }]);
  });

  it('answers for streams and shards that are not there with ResourceNotFoundException', async () => {
    const store = await newStore(options());
    const notFound = { name: 'AwsError', code: 'ResourceNotFoundException' };
    await expect(store.put('other', [record('a')])).rejects.toMatchObject(notFound);
    expect(() => store.describe('other')).toThrow('Stream other not found.');
    expect(() => store.read(NAME, 'shardId-000000000007', 'LATEST', 1)).toThrow(
      'Shard shardId-000000000007',
    );
  });

  it('refuses a sequence number of another shard', async () => {
    const store = await newStore(options(), 2);
    const foreign = store.startingSequence(NAME, 'shardId-000000000001');
    expect(() => store.read(NAME, SHARD, { after: foreign }, 1)).toThrow(
      'is no sequence number of',
    );
  });

  it('begins anew, above the old sequence numbers, when a stream is deleted and made again', async () => {
    const store = await newStore(options());
    const [old = ''] = sequences(await put(store, 'old'));
    await store.remove(NAME);
    await store.create(definition());
    const [young = ''] = sequences(await put(store, 'new'));
    expect(young > old).toBe(true);
    expect(store.read(NAME, SHARD, { after: old }, 10)).toMatchObject([
      { data: Buffer.from('new') },
    ]);
  });

  it('has four shards on demand, whatever it is asked for', async () => {
    const store = openStore(options());
    await store.create({ ...definition(1), mode: 'ON_DEMAND' });
    expect(store.shards(NAME)).toHaveLength(4);
    await store.create({ ...definition(2), mode: 'ON_DEMAND' });
    expect(store.describe(NAME)).toMatchObject({ shardCount: 4, mode: 'ON_DEMAND' });
  });

  it('takes 1,000 records a second and shard where limits are on, and answers for each', async () => {
    let nowMs = 0;
    const store = await newStore({ ...options(), now: () => nowMs, limits: true });
    const results = await store.put(
      NAME,
      Array.from({ length: 1_001 }, () => record('x')),
    );
    expect(results.filter((result) => 'errorCode' in result)).toMatchObject([
      { errorCode: 'ProvisionedThroughputExceededException' },
    ]);
    expect(results.at(-1)).toHaveProperty('errorCode');
    nowMs = 1;
    expect(await put(store, 'one more')).toMatchObject([{ shardId: SHARD }]);
  });

  it('gives each reader every record once and in order, whatever the sizes of reads and writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.string(), { maxLength: 8 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 200 }),
        async (batches, limits, maxBytes) => {
          const store = await newStore({ ...options(), segmentBytes: 120 });
          for (const batch of batches) await put(store, ...batch);
          const read: string[] = [];
          let at = store.resolve(NAME, SHARD, 'TRIM_HORIZON');
          for (let turn = 0; turn < 200; turn += 1) {
            const limit = limits[turn % limits.length] ?? 1;
            const records = store.read(NAME, SHARD, { at }, limit, maxBytes);
            read.push(...records.map(({ data }) => Buffer.from(data).toString()));
            const last = records.at(-1)?.sequenceNumber;
            if (last !== undefined) at = store.resolve(NAME, SHARD, { after: last });
          }
          expect(read).toEqual(batches.flat());
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('a stream store with a directory', () => {
  it('has streams, records, retention and checkpoints again after it was killed', async () => {
    const directory = newDirectory();
    const before = await newStore({ directory });
    await before.create({ ...definition(), retentionHours: 48 });
    const [last = ''] = sequences(await put(before, 'a'));
    await before.saveCheckpoint('mapping-1', SHARD, last);
    const after = openStore({ directory }); // the first one is never closed before
    expect(texts(after)).toEqual(['a']);
    expect(after.describe(NAME)).toEqual(before.describe(NAME));
    expect(after.describe(NAME).retentionHours).toBe(48);
    expect(after.checkpoint('mapping-1', SHARD)).toBe(last);
  });

  it('goes on with greater sequence numbers, also when the last records were lost', async () => {
    const directory = newDirectory();
    const before = await newStore({ directory });
    const [, last = ''] = sequences(await put(before, 'a', 'b'));
    const [file = ''] = logFiles(directory);
    truncateSync(file, statSync(file).size / 2); // exactly the first record
    const after = openStore({ directory });
    const [next = ''] = sequences(await put(after, 'c'));
    expect(next > last).toBe(true);
    expect(after.read(NAME, SHARD, { after: last }, 10)).toMatchObject([
      { data: Buffer.from('c') },
    ]);
  });

  it('cuts a torn tail at every length, keeps what is whole, and says what it cut', async () => {
    const directory = newDirectory();
    const before = await newStore({ directory });
    await put(before, 'whole');
    const [file = ''] = logFiles(directory);
    const wholeBytes = statSync(file).size;
    await put(before, 'torn');
    for (let bytes = statSync(file).size - 1; bytes > wholeBytes; bytes -= 7) {
      truncateSync(file, bytes);
      const said: LogEntry[] = [];
      const after = openStore({ directory, log: (entry) => said.push(entry) });
      expect(texts(after)).toEqual(['whole']);
      expect(statSync(file).size).toBe(wholeBytes);
      expect(said).toMatchObject([
        { level: 'warn', message: expect.stringContaining(`Cut ${bytes - wholeBytes} bytes`) },
      ]);
      appendFileSync(file, Buffer.alloc(bytes - wholeBytes));
    }
  });

  it.each([
    { kind: 'zeros', garbage: Buffer.alloc(4_096) },
    { kind: 'ones', garbage: Buffer.alloc(4_096, 0xff) },
    { kind: 'text', garbage: Buffer.from('not a frame, but long enough to be taken for one') },
  ])('cuts $kind behind the last record and takes new ones there', async ({ garbage }) => {
    const directory = newDirectory();
    await put(await newStore({ directory }), 'a');
    appendFileSync(logFiles(directory)[0] ?? '', garbage);
    await put(openStore({ directory }), 'b');
    expect(texts(openStore({ directory }))).toEqual(['a', 'b']);
  });

  it('cuts at a record whose bytes changed', async () => {
    const directory = newDirectory();
    await put(await newStore({ directory }), 'a', 'b');
    const [file = ''] = logFiles(directory);
    truncateSync(file, statSync(file).size - 1);
    appendFileSync(file, 'x');
    expect(texts(openStore({ directory }))).toEqual(['a']);
  });

  it('loses nothing it acknowledged, over any number of kills and whatever lies behind the log', async () => {
    const run = fc.record({
      batches: fc.array(fc.array(fc.string({ maxLength: 40 }), { maxLength: 5 }), { maxLength: 4 }),
      garbage: fc.uint8Array({ maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(run, { maxLength: 5 }), async (runs) => {
        const directory = newDirectory();
        await newStore({ directory });
        const acknowledged: string[] = [];
        const numbers: string[] = [];
        for (const { batches, garbage } of runs) {
          const store = openStore({ directory, segmentBytes: 150 });
          expect(texts(store)).toEqual(acknowledged);
          for (const batch of batches) {
            numbers.push(...sequences(await put(store, ...batch)));
            acknowledged.push(...batch);
          }
          const tail = logFiles(directory).at(-1);
          if (tail !== undefined) appendFileSync(tail, garbage);
        }
        expect(texts(openStore({ directory, segmentBytes: 150 }))).toEqual(acknowledged);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => (a < b ? -1 : 1)));
      }),
      { numRuns: 20 },
    );
  });

  it('has every record that a process acknowledged before SIGKILL, once', async () => {
    const directory = newDirectory();
    const acknowledged: string[] = [];
    for (let kill = 0; kill < 4; kill += 1) {
      const args = [WRITER, directory, NAME, String(kill * 1_000_000)];
      const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      for await (const chunk of writer.stdout) {
        said += chunk;
        if (said.length > 500 * (kill + 1)) writer.kill('SIGKILL');
      }
      acknowledged.push(...said.split('\n').slice(0, -1));
    }
    const store = openStore({ directory });
    const found = store.shards(NAME).flatMap((shardId) => texts(store, shardId));
    const stored = new Set(found);
    expect(stored.size).toBe(found.length);
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(acknowledged.filter((text) => !stored.has(text))).toEqual([]);
  });

  it('acknowledges records put at the same time with few writes, in the order they came', async () => {
    const directory = newDirectory();
    const store = await newStore({ directory });
    let commits = 0;
    store.onAppend(() => {
      commits += 1;
    });
    await Promise.all(Array.from({ length: 200 }, (_, at) => put(store, String(at))));
    expect(texts(store)).toEqual(Array.from({ length: 200 }, (_, at) => String(at)));
    expect(commits).toBeLessThan(10);
  });

  it('removes log files whose records are all past their retention', async () => {
    let nowMs = 0;
    const directory = newDirectory();
    const store = await newStore({ directory, now: () => nowMs, segmentBytes: 100 });
    for (let day = 0; day < 10; day += 1) {
      nowMs = day * 24 * HOUR_MS;
      await put(store, `day ${day}, morning`, `day ${day}, evening`);
    }
    expect(logFiles(directory).length).toBeLessThanOrEqual(3);
  });

  it('answers InternalFailure when the disk refuses, and takes records again when it does not', async () => {
    const directory = newDirectory();
    const store = await newStore({ directory, segmentBytes: 60 });
    await put(store, 'kept');
    const folder = shardFolder(directory);
    await rm(folder, { recursive: true });
    const refused = await put(store, 'a record that needs a new file');
    expect(refused).toMatchObject([{ errorCode: 'InternalFailure' }]);
    mkdirSync(folder);
    expect(await put(store, 'a later record')).toMatchObject([{ shardId: SHARD }]);
    expect(texts(store).at(-1)).toBe('a later record');
  });

  it('reads a damaged older file up to the damage, says so, and goes on behind it', async () => {
    const directory = newDirectory();
    await put(await newStore({ directory, segmentBytes: 100 }), 'a', 'b', 'c', 'd', 'e', 'f');
    const [oldest = ''] = logFiles(directory);
    truncateSync(oldest, statSync(oldest).size - 1);
    const said: LogEntry[] = [];
    const store = openStore({ directory, log: (entry) => said.push(entry) });
    expect(texts(store)).toEqual(['a', 'c', 'd', 'e', 'f']);
    expect(said).toMatchObject([{ level: 'error', file: oldest }]);
  });

  it('refuses to reshard a stream it kept', async () => {
    const store = await newStore({ directory: newDirectory() }, 2);
    await expect(store.create(definition(4))).rejects.toThrow('kept with 2 shards');
  });
});
