import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  directoryKey,
  directoryPartitions,
  firstTimeKey,
  historyKey,
  type Key,
  latestKey,
  profileKey,
  sortableMs,
} from '../../../shared/core/keys.ts';

/** Few characters, so that collisions would be found. */
const name = fc.stringMatching(/^[a0_-]{1,4}$/);
const kind = fc.constantFrom('telemetry' as const, 'status' as const);
const ms = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 253_402_300_799_999 }));
const id = fc.stringMatching(/^[A_-]{22}$/);

const textOf = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);

/** Every kind of key of one table, with the tuple it stands for. */
const ofReadings = fc.oneof(
  fc
    .tuple(name, ms, id)
    .map((tuple) => ({ tuple: ['history', ...tuple], key: historyKey(...tuple) })),
  fc.tuple(name, id).map((tuple) => ({ tuple: ['first', ...tuple], key: firstTimeKey(...tuple) })),
);
const ofDevices = fc.oneof(
  fc.tuple(name, kind).map((tuple) => ({ tuple: ['latest', ...tuple], key: latestKey(...tuple) })),
  name.map((thing) => ({ tuple: ['profile', thing], key: profileKey(thing) })),
  fc
    .tuple(name, name)
    .map((tuple) => ({ tuple: ['directory', ...tuple], key: directoryKey(...tuple) })),
);

describe('keys', () => {
  it.each([
    ['readings', ofReadings],
    ['devices', ofDevices],
  ])('of %s are equal if and only if what they stand for is', (_table, keyed) => {
    fc.assert(
      fc.property(keyed, keyed, (one, other) => {
        const same = JSON.stringify(one.tuple) === JSON.stringify(other.tuple);
        expect(textOf(one.key) === textOf(other.key)).toBe(same);
      }),
      { numRuns: 5_000 },
    );
  });

  it('of history sort by time within a day', () => {
    fc.assert(
      fc.property(ms, ms, (one, other) => {
        expect(sortableMs(one) < sortableMs(other)).toBe(one < other);
      }),
    );
  });

  it('of history change partition at midnight UTC', () => {
    const midnight = Date.UTC(2026, 8, 21);
    expect(historyKey('probe-1', midnight - 1, 'i').pk).toBe('probe-1#2026-09-20');
    expect(historyKey('probe-1', midnight, 'i')).toEqual({
      pk: 'probe-1#2026-09-21',
      sk: '001789948800000#i',
    });
  });
});

describe('the writes of one fleet of 10,000 devices', () => {
  const namings: readonly [string, (at: number) => string][] = [
    ['counted', (at) => `probe-${at}`],
    ['padded', (at) => `probe-${String(at).padStart(8, '0')}`],
    ['hexadecimal', (at) => (at * 2_654_435_761).toString(16)],
    ['counted by sixty-fours', (at) => `d${at * 64}`],
  ];

  it.each(namings)(
    'take no partition key for more than 5 %% when names are %s',
    (_naming, thing) => {
      const writes = new Map<string, number>();
      const keysOf = (at: number): readonly Key[] => [
        historyKey(thing(at), 1_790_000_000_000, 'AAAAAAAAAAAAAAAAAAAAAA'),
        latestKey(thing(at), 'telemetry'),
        profileKey(thing(at)),
      ];
      const directory = new Map<string, number>();
      for (let at = 0; at < 10_000; at += 1) {
        for (const { pk } of keysOf(at)) writes.set(pk, (writes.get(pk) ?? 0) + 1);
        const { pk } = directoryKey('acme', thing(at));
        directory.set(pk, (directory.get(pk) ?? 0) + 1);
      }
      expect(Math.max(...writes.values()) / 30_000).toBeLessThan(0.05);
      expect(Math.max(...directory.values()) / 10_000).toBeLessThan(0.05);
      expect(new Set(directory.keys())).toEqual(new Set(directoryPartitions('acme')));
    },
  );
});
