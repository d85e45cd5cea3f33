import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createObjectStore, fileNames } from '../../../local/stores/object-store.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function setup() {
  const directory = mkdtempSync(join(tmpdir(), 'objects-'));
  folders.push(directory);
  const store = createObjectStore({ directory, buckets: ['archive'] });
  const read = (path: string) => readFileSync(join(directory, path), 'utf8');
  return { directory, store, read };
}

const text = (value: string) => Buffer.from(value);

describe('an object', () => {
  it('is a file in its bucket’s folder', async () => {
    const { store, read } = setup();
    await store.put('archive', 'dt/north/a b.json', text('{}'));
    expect(read('archive/dt/north/a%20b.json')).toBe('{}');
  });

  it('is replaced by the next one under its key, and leaves nothing unfinished', async () => {
    const { directory, store, read } = setup();
    await store.put('archive', 'k', text('a longer one'));
    await store.put('archive', 'k', text('short'));
    expect(read('archive/k')).toBe('short');
    expect(readdirSync(join(directory, '.unfinished'))).toEqual([]);
  });

  it.each([
    '../../etc/passwd',
    '..',
    '/absolute',
    'a/../../b',
    'a//b',
    '.',
    '...',
    '%',
    'a\\..\\b',
  ])('with the key %s stays in its bucket', async (key) => {
    const { directory, store } = setup();
    await store.put('archive', key, text('x'));
    expect(readdirSync(directory).sort()).toEqual(['.unfinished', 'archive']);
  });

  it('has a file of its own, whatever its key', () => {
    const key = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
    const awkward = fc.array(fc.constantFrom('.', '/', '%', '2', 'E', 'a'), { minLength: 1 });
    const keys = fc.oneof(
      key,
      awkward.map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const [first, second] = [
          join('/bucket', ...fileNames(a)),
          join('/bucket', ...fileNames(b)),
        ];
        expect(relative('/bucket', first)).not.toMatch(/^(?:\.\.(?:\/|$)|$)/);
        expect(first === second).toBe(a === b);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    { key: '', code: 'KeyTooLongError' },
    { key: 'x'.repeat(1025), code: 'KeyTooLongError' },
    { key: 'x'.repeat(256), code: 'KeyTooLongError' },
    { key: '\ud800', code: 'InvalidArgument' },
  ])('is refused with $code where its key cannot be one', async ({ key, code }) => {
    const { store } = setup();
    await expect(store.put('archive', key, text('x'))).rejects.toMatchObject({ code });
  });

  it('is refused where a file and a folder would share a name, and where there is no bucket', async () => {
    const { store } = setup();
    await store.put('archive', 'a', text('x'));
    await expect(store.put('archive', 'a/b', text('x'))).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    await expect(store.put('nobody', 'a', text('x'))).rejects.toMatchObject({
      code: 'NoSuchBucket',
    });
  });
});

describe('reading an object', () => {
  it('gives what was written', async () => {
    const { store } = setup();
    await store.put('archive', 'a/b', text('x'));
    expect(Buffer.from(await store.get('archive', 'a/b')).toString()).toBe('x');
  });

  it.each([
    { bucket: 'archive', key: 'a', code: 'NoSuchKey' },
    { bucket: 'archive', key: 'a/b/c', code: 'NoSuchKey' },
    { bucket: 'nobody', key: 'a', code: 'NoSuchBucket' },
  ])('$key of $bucket is refused with $code', async ({ bucket, key, code }) => {
    const { store } = setup();
    await store.put('archive', 'a/b', text('x'));
    await expect(store.get(bucket, key)).rejects.toMatchObject({ code });
  });
});
