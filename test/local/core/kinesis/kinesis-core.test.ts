import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  evenRanges,
  hashKeyOf,
  MAX_HASH_KEY,
  parseHashKey,
  shardOfHashKey,
} from '../../../../local/core/kinesis/hash-key.ts';
import {
  parseSequenceNumber,
  sequenceNumber,
  sequencePrefix,
} from '../../../../local/core/kinesis/sequence-number.ts';
import { decodeIterator, encodeIterator } from '../../../../local/core/kinesis/shard-iterator.ts';
import { fullBucket, refill, spend } from '../../../../local/core/kinesis/throughput.ts';

const shardCounts = fc.integer({ min: 1, max: 500 });
const hashKeys = fc.bigInt({ min: 0n, max: MAX_HASH_KEY });

describe('hash keys', () => {
  it('are the MD5 of the partition key, as the number that AWS makes of it', () => {
    // MD5('') and MD5('a'), RFC 1321 appendix A.5
    expect(hashKeyOf('')).toBe(0xd41d8cd98f00b204e9800998ecf8427en);
    expect(hashKeyOf('a')).toBe(0x0cc175b9c0f1b6a831c399e269772661n);
  });

  it('fall into exactly one shard each, and that is the shard whose range holds them', () =>
    fc.assert(
      fc.property(shardCounts, hashKeys, (count, key) => {
        const holders = evenRanges(count).flatMap(({ starting, ending }, shard) =>
          starting <= key && key <= ending ? [shard] : [],
        );
        expect(holders).toEqual([shardOfHashKey(key, count)]);
      }),
    ));

  it('are covered by the ranges without gap or overlap, at the ends as well', () =>
    fc.assert(
      fc.property(shardCounts, (count) => {
        const ranges = evenRanges(count);
        expect(ranges.map(({ starting }) => starting)).toEqual([
          0n,
          ...ranges.slice(0, -1).map(({ ending }) => ending + 1n),
        ]);
        expect(ranges.at(-1)?.ending).toBe(MAX_HASH_KEY);
        for (const [shard, { starting, ending }] of ranges.entries()) {
          expect(shardOfHashKey(starting, count)).toBe(shard);
          expect(shardOfHashKey(ending, count)).toBe(shard);
        }
      }),
    ));

  it.each([
    { text: '0', key: 0n },
    { text: String(MAX_HASH_KEY), key: MAX_HASH_KEY },
    { text: String(MAX_HASH_KEY + 1n), key: undefined },
    { text: '-1', key: undefined },
    { text: '01', key: undefined },
    { text: '1e3', key: undefined },
    { text: '', key: undefined },
  ])('are read from $text as $key', ({ text, key }) => {
    expect(parseHashKey(text)).toBe(key);
  });
});

describe('sequence numbers', () => {
  const places = fc.record({
    createdAtMs: fc.integer({ min: 0, max: 9_999_999_999_999 }),
    shard: fc.integer({ min: 0, max: 99_999 }),
    index: fc.maxSafeNat(),
  });
  const write = ({ createdAtMs, shard, index }: ReturnType<typeof parseSequenceNumber> & object) =>
    sequenceNumber(sequencePrefix(createdAtMs, shard), index);

  it('say where their record lies', () =>
    fc.assert(
      fc.property(places, (place) => expect(parseSequenceNumber(write(place))).toEqual(place)),
    ));

  it('grow with the index, as text and as numbers', () =>
    fc.assert(
      fc.property(places, fc.maxSafeNat(), (place, index) => {
        const other = write({ ...place, index });
        expect(Math.sign(place.index - index)).toBe(
          Number(write(place) > other) - Number(write(place) < other),
        );
        expect(BigInt(write(place)) > BigInt(other)).toBe(place.index > index);
      }),
    ));

  it('of a stream made anew are above those of its predecessor', () =>
    fc.assert(
      fc.property(places, fc.maxSafeNat(), (place, index) => {
        const later = { ...place, createdAtMs: place.createdAtMs + 1, index };
        fc.pre(later.createdAtMs <= 9_999_999_999_999);
        expect(write(later) > write(place)).toBe(true);
      }),
    ));

  it.each(['', '0', 'LATEST', `49${'9'.repeat(53)}`, `49${'9'.repeat(54)}`, `50${'0'.repeat(54)}`])(
    'are not made of %j',
    (text) => {
      expect(parseSequenceNumber(text)).toBeUndefined();
    },
  );
});

describe('shard iterators', () => {
  const iterator = { stream: 'uplinks', shardId: 'shardId-000000000001', at: '49001' };

  it('are good for five minutes', () => {
    expect(decodeIterator(encodeIterator(iterator, 1_000))).toEqual({
      ...iterator,
      expiresAtMs: 301_000,
    });
  });

  it('stay within the 512 characters of the API for the longest stream name', () => {
    const longest = { stream: 's'.repeat(128), shardId: iterator.shardId, at: '4'.repeat(56) };
    expect(encodeIterator(longest, 9_999_999_999_999).length).toBeLessThanOrEqual(512);
  });

  it('that were mangled are noticed', () => {
    const text = encodeIterator(iterator, 1_000);
    return fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('A', 'b', '7', '/', ''), (at, put) => {
        fc.pre(text[at] !== put);
        const mangled = text.slice(0, at) + put + text.slice(at + 1);
        fc.pre(Buffer.from(mangled, 'base64').compare(Buffer.from(text, 'base64')) !== 0);
        expect(decodeIterator(mangled)).toBeUndefined();
      }),
    );
  });

  it('are never made of foreign text', () =>
    fc.assert(fc.property(fc.string(), (text) => expect(decodeIterator(text)).toBeUndefined())));
});

describe('a bucket', () => {
  it('gives one second of its rate at once and the rest as it flows in', () => {
    const empty = spend(fullBucket(1_000, 0), 1_000);
    expect(refill(empty, 1_000, 250).level).toBe(250);
    expect(refill(empty, 1_000, 60_000).level).toBe(1_000);
  });

  it('gains nothing from a clock that goes back', () => {
    expect(refill(spend(fullBucket(10, 5_000), 10), 10, 0).level).toBe(0);
  });
});
