import { describe, expect, it } from '@jest/globals';
import { record } from '../../functions/record/record.ts';
import type { Device } from '../../shared/adapters/readings/device-table.ts';
import type { DeadLetter } from '../../shared/core/dead-letter.ts';
import type { Reading } from '../../shared/core/reading.ts';
import { streamEvent } from '../support/stream-events.ts';
import { reading } from '../support/uplinks.ts';

type Stage = 'settle' | 'write' | 'ask' | 'register' | 'latest';

/** Things whose requests fail, by stage. */
type Faults = Partial<Record<Stage, readonly string[]>>;

function setup(faults: Faults = {}) {
  const rows: Reading[] = [];
  const latest: Reading[] = [];
  const registered: Device[] = [];
  const asked: string[][] = [];
  const letters: DeadLetter[] = [];
  const world = { nowMs: 0 };
  const fail = <Item>(stage: Stage, items: readonly Item[], thingOf: (item: Item) => string) => {
    const failing = items.filter((item) => faults[stage]?.includes(thingOf(item)));
    return {
      failures: failing.map((item) => ({ item, reason: stage })),
      rest: items.filter((item) => !failing.includes(item)),
    };
  };
  const thingOf = ({ thing }: { readonly thing: string }) => thing;
  const handle = record({
    history: {
      settleTimes: async (readings) => {
        const { failures, rest } = fail('settle', readings, thingOf);
        return { failures, settled: new Map(rest.map((one) => [one, one])) };
      },
      write: async (readings) => {
        const { failures, rest } = fail('write', readings, thingOf);
        rows.push(...rest);
        return failures;
      },
    },
    devices: {
      fleetsOf: async (things) => {
        asked.push([...things]);
        const known = registered.filter(({ thing }) => things.includes(thing));
        return {
          known: new Map(known.map(({ thing, fleet }) => [thing, fleet])),
          failures: fail('ask', things, (thing) => thing).failures,
        };
      },
      register: async (devices) => {
        const { failures, rest } = fail('register', devices, thingOf);
        registered.push(...rest);
        return failures;
      },
      saveLatest: async (readings) => {
        const { failures, rest } = fail('latest', readings, thingOf);
        latest.push(...rest);
        return failures;
      },
    },
    deadLetters: {
      send: async (sent) => {
        letters.push(...sent);
        return [];
      },
    },
    log: () => {},
    now: () => world.nowMs,
  });
  const run = async (...sent: readonly (Reading | string | object)[]) => {
    const records = sent.map((data) => ({
      partitionKey: typeof data === 'object' && 'thing' in data ? String(data.thing) : 'probe-1',
      data,
    }));
    const { batchItemFailures } = await handle(streamEvent('readings', records), {
      getRemainingTimeInMillis: () => 60_000,
    });
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  return { run, rows, latest, registered, asked, letters, world };
}

const of = (thing: string, changes: Partial<Reading> = {}) => reading({ thing, ...changes });

describe('record', () => {
  it('keeps each reading, moves the latest on, and enters the device', async () => {
    const { run, rows, latest, registered } = setup();
    const readings = [of('probe-1', { receivedAtMs: 5 }), of('probe-2'), of('probe-1')];
    await expect(run(...readings)).resolves.toEqual([]);
    expect(rows).toEqual(readings);
    expect(latest).toEqual(readings);
    expect(registered).toMatchObject([
      { thing: 'probe-1', fleet: 'acme', firstSeenAtMs: 5 },
      { thing: 'probe-2', fleet: 'acme' },
    ]);
  });

  it('enters a device once, and asks for it again only after an hour', async () => {
    const { run, registered, asked, world } = setup();
    await run(of('probe-1'));
    world.nowMs = 3_599_999;
    await run(of('probe-1'));
    world.nowMs = 3_600_000;
    await run(of('probe-1'));
    expect(registered).toHaveLength(1);
    expect(asked).toEqual([['probe-1'], ['probe-1']]);
  });

  it.each([
    ['MALFORMED_RECORD', 'not json'],
    ['UNSUPPORTED_VERSION', { ...reading(), v: 7 }],
    ['MALFORMED_READING', { ...reading(), thing: 'a#b' }],
    ['READING_TOO_LARGE', { ...reading(), traceId: 'x'.repeat(400_000) }],
  ])('dead-letters %s with its bytes, and takes what is around it', async (code, bad) => {
    const { run, rows, letters } = setup();
    await expect(run(of('probe-1'), bad, of('probe-1'))).resolves.toEqual([]);
    expect(rows).toHaveLength(2);
    expect(letters).toMatchObject([
      { function: 'record', code, stream: 'readings', sequenceNumber: '2' },
    ]);
  });

  it.each<Stage>(['settle', 'write', 'ask', 'register', 'latest'])(
    'stops a device when %s fails for it, and no other',
    async (stage) => {
      const { run, latest } = setup({ [stage]: ['probe-2'] });
      await expect(
        run(of('probe-1'), of('probe-2'), of('probe-1'), of('probe-2')),
      ).resolves.toEqual(['2', '4']);
      expect(latest.map(({ thing }) => thing)).toEqual(['probe-1', 'probe-1']);
    },
  );

  it('asks again for a device that could not be entered', async () => {
    const faults = { register: ['probe-1'] };
    const { run, registered } = setup(faults);
    await expect(run(of('probe-1'))).resolves.toEqual(['1']);
    faults.register = [];
    await expect(run(of('probe-1'))).resolves.toEqual([]);
    expect(registered).toHaveLength(1);
  });
});
