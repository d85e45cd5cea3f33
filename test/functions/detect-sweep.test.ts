import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Reading } from '../../shared/core/reading.ts';
import {
  HOUR_MS,
  healthy,
  MINUTE_MS,
  openDetectWorld,
  readingAt,
  T0,
} from '../support/detection-world.ts';
import { plentyOfTime } from '../support/retry-tools.ts';

let world: Awaited<ReturnType<typeof openDetectWorld>>;
beforeEach(async () => {
  world = await openDetectWorld();
});
afterEach(() => world.close());

const DONE = { batchItemFailures: [] };
const THINGS = Array.from({ length: 4 }, (_, at) => `probe-${at + 1}`);

/** Minutes of time: what devices send each minute is read, and now and then the sweep runs. */
async function live(
  minutes: number,
  readingsAt: (atMs: number) => readonly Reading[],
  sweepEvery = 3,
): Promise<void> {
  const container = world.container();
  for (let minute = 0; minute < minutes; minute += 1) {
    world.clock.nowMs += MINUTE_MS;
    const readings = readingsAt(world.clock.nowMs);
    if (readings.length > 0) expect(await container.take(world.eventOf(readings))).toEqual(DONE);
    if (minute % sweepEvery === sweepEvery - 1) await container.sweep();
  }
}

const from =
  (...things: readonly string[]) =>
  (atMs: number): readonly Reading[] =>
    things.flatMap((thing) => healthy(1, atMs, { thing, seed: atMs / MINUTE_MS }));
const NEVER = Number.POSITIVE_INFINITY;
const nobody = (): readonly Reading[] => [];

const silent = async () => (await world.recorded()).filter(({ kind }) => kind === 'silent device');

describe('a device that is silent', () => {
  it('is told of once its deadline has passed, and again when it speaks', async () => {
    await live(12, from(...THINGS), 1);
    const [gone = '', ...others] = THINGS;
    await live(25, from(...others));
    const [record, ...more] = await silent();
    expect(more).toEqual([]);
    expect(record).toMatchObject({ thing: gone, state: 'open', version: 1 });
    expect(record?.sentence).toMatch(/^probe-1 is silent for .* usually sends every 60 s/);
    await live(18, from(...others));
    expect(await silent()).toHaveLength(1);
    await live(1, from(...THINGS), 1);
    expect(await silent()).toMatchObject([{ state: 'closed', version: 2 }]);
    await live(20, from(...THINGS));
    await live(25, from(...others));
    expect(await silent()).toMatchObject([
      { state: 'closed', version: 2 },
      { state: 'open', version: 1 },
    ]);
  });

  it('is told of although it is the only one there is', async () => {
    await live(12, from('probe-1'), 1);
    await live(25, nobody);
    expect(await silent()).toMatchObject([{ thing: 'probe-1', state: 'open' }]);
  });

  it('is not told of while it is muted, but afterwards', async () => {
    await live(12, from(...THINGS), 1);
    const mutedUntilMs = world.clock.nowMs + HOUR_MS;
    const by = { by: 'ann', atMs: world.clock.nowMs };
    await world.settings.mute({ fleet: 'acme', thing: 'probe-1' }, mutedUntilMs, by, plentyOfTime);
    const others = THINGS.slice(1);
    await live(50, from(...others), 10);
    expect(await silent()).toEqual([]);
    await live(30, from(...others), 5);
    expect(await silent()).toMatchObject([{ thing: 'probe-1' }]);
  });
});

describe('an outage of the ingestion', () => {
  it('is nobody’s silence, however long it takes', async () => {
    await live(12, from(...THINGS), 1);
    await live(60, nobody, 5);
    expect(await silent()).toEqual([]);
    expect(world.logged.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: 'readings do not come in, and nobody is called silent meanwhile' },
    ]);
    const missing = () =>
      world.logged.findLast(({ message }) => message === 'swept')?.fields?.['readingsMissing'];
    expect(missing()).toBe(1);
    await live(20, from(...THINGS));
    expect(missing()).toBe(0);
    expect(await silent()).toEqual([]);
  });

  it('is not added to the silence of who does not come back from it', async () => {
    await live(12, from(...THINGS), 1);
    await live(60, nobody, 5);
    const others = THINGS.slice(1);
    await live(2, from(...others), 1);
    expect(await silent()).toEqual([]);
    await live(30, from(...others));
    expect(await silent()).toMatchObject([{ thing: 'probe-1' }]);
  });

  it('is nobody’s silence either when the sweep was down as well', async () => {
    await live(12, from(...THINGS), 1);
    await live(300, nobody, NEVER);
    await live(1, from('probe-2'), 1);
    await live(3, from('probe-2', 'probe-3'), 1);
    expect(await silent()).toEqual([]);
  });

  it('of one shard that is behind is nobody’s silence', async () => {
    const [one = '', two = '', ...rest] = THINGS;
    await live(12, from(...THINGS), 1);
    const backlog: Reading[] = [];
    // the shard of two devices is read with a growing delay, the others go on
    await live(
      40,
      (atMs) => {
        backlog.push(...from(one, two)(atMs));
        return from(...rest)(atMs);
      },
      NEVER,
    );
    const container = world.container();
    await container.take(world.eventOf(backlog.slice(0, 2), 'shardId-000000000001'));
    await container.sweep();
    expect(await silent()).toEqual([]);
    await container.take(world.eventOf(backlog.slice(2), 'shardId-000000000001'));
    await live(20, from(...THINGS));
    expect(await silent()).toEqual([]);
  });
});

describe('the index of deadlines', () => {
  it('costs a device nothing while it speaks: one sweep reads it once a deadline', async () => {
    await live(21, from(...THINGS));
    const asked: string[] = [];
    const counting = world.container({
      devices: {
        ...world.devices,
        peek: (things, timeLeft) => {
          asked.push(...things);
          return world.devices.peek(things, timeLeft);
        },
      },
    });
    for (let minute = 0; minute < 60; minute += 3) {
      world.clock.nowMs += 3 * MINUTE_MS;
      await counting.take(world.eventOf(from(...THINGS)(world.clock.nowMs)));
      await counting.sweep();
    }
    expect(asked.length).toBeLessThanOrEqual(THINGS.length * 5);
    expect(new Set(asked)).toEqual(new Set(THINGS));
  });

  it('holds a device once, also when it was entered twice', async () => {
    await live(12, from('probe-1'), 1);
    const look = { thing: 'probe-1', fleet: 'acme', timers: false };
    for (const minutes of [1, 2, 3]) {
      await world.looks.enter(
        [{ ...look, atMs: world.clock.nowMs + minutes * MINUTE_MS }],
        plentyOfTime,
      );
    }
    await live(40, from('probe-1'), 5);
    const due = await world.looks.due(
      world.clock.nowMs + HOUR_MS,
      100,
      () => undefined,
      plentyOfTime,
    );
    expect(due).toHaveLength(1);
  });

  it('goes on when one of its devices cannot be looked at', async () => {
    await live(12, from(...THINGS), 1);
    const container = world.container({
      devices: {
        ...world.devices,
        save: (thing, ...rest) =>
          thing === 'probe-1'
            ? Promise.reject(new Error('gone'))
            : world.devices.save(thing, ...rest),
      },
    });
    for (let minute = 0; minute < 25; minute += 1) {
      world.clock.nowMs += MINUTE_MS;
      await container.take(world.eventOf(from('probe-4')(world.clock.nowMs)));
      if (minute % 3 === 2) await container.sweep();
    }
    expect((await silent()).map(({ thing }) => thing).toSorted()).toEqual(['probe-2', 'probe-3']);
    await live(6, from('probe-4'));
    expect((await silent()).map(({ thing }) => thing)).toContain('probe-1');
  });

  it('forgets a device that is no more', async () => {
    await world.looks.enter(
      [{ thing: 'gone', fleet: 'acme', timers: false, atMs: T0 }],
      plentyOfTime,
    );
    await live(1, nobody, 1);
    expect(await world.looks.due(T0 + HOUR_MS, 100, () => undefined, plentyOfTime)).toEqual([]);
  });
});

it('the timers of a detector model run out without a reading', async () => {
  const watchdog = {
    detectorModelName: 'watchdog',
    detectorModelDefinition: {
      initialStateName: 'Alive',
      states: [
        {
          stateName: 'Alive',
          onInput: {
            events: [
              {
                eventName: 'wind-up',
                condition: 'currentInput("w")',
                actions: [
                  { setTimer: { timerName: 't', seconds: 600 } },
                  { setTimer: { timerName: 'longer', seconds: 1200 } },
                ],
              },
            ],
            transitionEvents: [{ eventName: 'late', condition: 'timeout("t")', nextState: 'Late' }],
          },
        },
        {
          stateName: 'Late',
          onInput: {
            transitionEvents: [
              { eventName: 'back', condition: 'currentInput("w")', nextState: 'Alive' },
              { eventName: 'lost', condition: 'timeout("longer")', nextState: 'Lost' },
            ],
          },
        },
        {
          stateName: 'Lost',
          onInput: {
            transitionEvents: [
              { eventName: 'back', condition: 'currentInput("w")', nextState: 'Alive' },
            ],
          },
        },
      ],
    },
  };
  await world.settings.put(
    { what: 'model', fleet: 'acme', name: 'watchdog', input: 'w', model: watchdog },
    plentyOfTime,
  );
  await live(3, from('probe-1', 'probe-2'));
  await live(9, from('probe-2'));
  expect(await world.recorded()).toEqual([]);
  await live(3, from('probe-2'), 1);
  expect(await world.recorded()).toMatchObject([
    { thing: 'probe-1', kind: 'rule', detail: 'state Late of the detector model watchdog' },
  ]);
  await live(9, from('probe-2'));
  expect(await world.recorded()).toMatchObject([
    { version: 2, detail: 'state Lost of the detector model watchdog' },
  ]);
  await live(1, (atMs) => [readingAt(atMs, { temperature: 20 })]);
  expect(await world.recorded()).toMatchObject([{ thing: 'probe-1', state: 'closed' }]);
});
