import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import {
  createDeliveryStore,
  type DeliveryStreamSpec,
} from '../../../local/stores/delivery-store.ts';

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

function setup(changes: Partial<DeliveryStreamSpec> = {}) {
  const objects = new Map<string, Buffer>();
  const clock = { now: START_MS };
  let ids = 0;
  const store = createDeliveryStore({
    objects: {
      async append(bucket, key, content) {
        const path = `${bucket}/${key}`;
        objects.set(path, Buffer.concat([objects.get(path) ?? Buffer.alloc(0), content]));
      },
    },
    streams: [
      {
        name: 'raw',
        bucket: 'archive',
        compression: 'UNCOMPRESSED',
        delimiter: '',
        bufferingSeconds: 60,
        bufferingBytes: 10,
        ...changes,
      },
    ],
    now: () => clock.now,
    uuid: () => `id-${++ids}`,
  });
  const put = (...records: string[]) =>
    store.put(
      'raw',
      records.map((text) => Buffer.from(text)),
    );
  return { store, put, objects, clock };
}

const texts = (objects: ReadonlyMap<string, Buffer>) => [...objects.values()].map(String);

describe('a delivery stream', () => {
  it('writes objects under the time of their first record, as Firehose names them', async () => {
    const { store, objects } = setup({ prefix: 'uplinks/' });
    await store.put('raw', [Buffer.from('a')], Date.UTC(2025, 11, 31, 23, 59, 58));
    expect([...objects.keys()]).toEqual([
      'archive/uplinks/2025/12/31/23/raw-1-2025-12-31-23-59-58-id-1',
    ]);
  });

  it.each([
    { prefix: 'u/!{timestamp:yyyy/MM}/', key: 'u/2026/01/raw-1-' },
    { prefix: "!{timestamp:'y='yyyy'-m='mm-ss}/", key: 'y=2026-m=04-05/raw-1-' },
    { prefix: '!{firehose:random-string}/', key: 'id1/2026/01/02/03/raw-1-' },
    { prefix: undefined, key: '2026/01/02/03/raw-1-' },
  ])('evaluates the prefix $prefix', async ({ prefix, key }) => {
    const { put, objects } = setup(prefix === undefined ? {} : { prefix });
    await put('a');
    expect([...objects.keys()][0]).toMatch(new RegExp(`^archive/${key}`));
  });

  it.each(['!{timestamp:EEE}/', '!{partitionKeyFromQuery:a}/', 'a/!{timestamp:yyyy', '!{x}'])(
    'is refused with the prefix %s',
    (prefix) => {
      expect(() => setup({ prefix })).toThrow(/!\{|not closed/);
    },
  );

  it('goes on with an object until its buffer would be full', async () => {
    const { put, objects } = setup();
    await put('aaaa', 'bbbb');
    await put('cccc');
    await put('dddd');
    expect(texts(objects)).toEqual(['aaaabbbbcccc', 'dddd']);
  });

  it('goes on with an object until its time is over', async () => {
    const { put, objects, clock } = setup();
    await put('a');
    clock.now += 59_999;
    await put('b');
    clock.now += 1;
    await put('c');
    expect(texts(objects)).toEqual(['ab', 'c']);
  });

  it('compresses what it writes, and says so in the name', async () => {
    const { put, objects } = setup({ compression: 'GZIP', delimiter: '\n' });
    await put('a', 'b');
    await put('c');
    const [[key, content] = ['', Buffer.alloc(0)]] = objects;
    expect(key).toMatch(/\.gz$/);
    expect(gunzipSync(content).toString()).toBe('a\nb\nc\n');
  });

  it('is refused where nobody declared it, and with a record that is too large', async () => {
    const { store } = setup();
    await expect(store.put('nobody', [Buffer.from('x')])).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    await expect(store.put('raw', [Buffer.alloc(1_024_001)])).rejects.toMatchObject({
      code: 'InvalidArgumentException',
    });
  });
});
