import { afterEach, expect, it } from '@jest/globals';
import type { DetectDeps } from '../../functions/detect/detect.ts';
import { seeded } from '../../local/fleet/random.ts';
import type { Reading } from '../../shared/core/reading.ts';
import { healthy, MINUTE_MS, openDetectWorld, readingAt, T0 } from '../support/detection-world.ts';

type World = Awaited<ReturnType<typeof openDetectWorld>>;

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function open(): Promise<World> {
  const world = await openDetectWorld();
  worlds.push(world);
  return world;
}

/** Two devices, an hour each, with a spike, a stuck sensor and a broken limit of physics. */
function story(): Reading[][] {
  const readings = ['probe-1', 'probe-2'].flatMap((thing, at) => [
    ...healthy(60, T0, { thing, seed: at + 1 }),
    readingAt(T0 + 60 * MINUTE_MS, { temperature: 85 }, { thing }),
    ...healthy(12, T0 + 61 * MINUTE_MS, { thing, seed: at + 3 }),
    readingAt(T0 + 73 * MINUTE_MS, { temperature: -300 }, { thing, units: { temperature: '°C' } }),
    ...healthy(12, T0 + 74 * MINUTE_MS, { thing, seed: at + 5 }),
  ]);
  const inOrder = readings.toSorted((one, other) => one.receivedAtMs - other.receivedAtMs);
  return Array.from({ length: Math.ceil(inOrder.length / 12) }, (_, at) =>
    inOrder.slice(12 * at, 12 * at + 12),
  );
}

class Killed extends Error {
  override readonly name = 'Killed';
}

/** A container in which calls fail, get lost on their way back, or are its last. */
function troubled(world: World, random: () => number, chance: { faults: number }) {
  let isDead = false;
  const call = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    if (isDead) throw new Killed();
    const kind = random() < chance.faults ? Math.floor(random() * 3) : undefined;
    if (kind === 0) throw new Error('fails');
    if (kind === 1) isDead = random() < 0.5;
    if (isDead) throw new Killed();
    const result = await run();
    if (kind === 2) isDead = random() < 0.5;
    if (kind === 2) throw new Error('lost');
    return result;
  };
  const { devices, looks, anomalies } = world;
  const changes = (base: DetectDeps): Partial<DetectDeps> => ({
    devices: {
      ...devices,
      load: (...args) => call(() => devices.load(...args)),
      save: (...args) => call(() => devices.save(...args)),
    },
    looks: { ...looks, enter: (...args) => call(() => looks.enter(...args)) },
    anomalies: { ...anomalies, record: (...args) => call(() => anomalies.record(...args)) },
    live: { publish: (...args) => call(() => base.live.publish(...args)) },
    notices: { publish: (...args) => call(() => base.notices.publish(...args)) },
  });
  return world.container(changes);
}

const versionsOf = (bodies: readonly string[]): ReadonlySet<string> => {
  const told = bodies.map((body) => JSON.parse(body));
  return new Set(told.map(({ id, version }) => `${id} ${version}`));
};

it.each([1, 2, 3, 4, 5, 6])(
  'whatever fails, each anomaly is recorded once and told at least once (seed %d)',
  async (seed) => {
    const batches = story();
    const clean = await open();
    for (const batch of batches) await clean.container().take(clean.eventOf(batch));

    const world = await open();
    const random = seeded(seed);
    const chance = { faults: 0.3 };
    let left = 400;
    for (const batch of batches) {
      // some readings are put on the stream once more
      const again = batch.filter(() => random() < 0.1);
      let { Records: records } = world.eventOf([...batch, ...again]);
      while (records.length > 0) {
        left -= 1;
        if (left < 0) chance.faults = 0;
        const answer = await troubled(world, random, chance)
          .take({ Records: records })
          .catch(() => undefined);
        // a killed container answers nothing, and its batch comes whole
        const failed = answer?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
        const from = records.findIndex(
          ({ kinesis }) => failed === undefined || failed.includes(kinesis.sequenceNumber),
        );
        records = from === -1 ? [] : records.slice(from);
      }
    }
    world.clock.nowMs += 10 * MINUTE_MS;
    await world.container().sweep();

    const recorded = await clean.recorded();
    expect(recorded.length).toBeGreaterThanOrEqual(4);
    expect(await world.recorded()).toEqual(recorded);
    const expected = versionsOf(clean.mqtt.map(({ body }) => body));
    expect(versionsOf(world.mqtt.map(({ body }) => body))).toEqual(expected);
    expect(versionsOf(world.sns.map(({ body }) => body))).toEqual(expected);
    for (const thing of ['probe-1', 'probe-2']) {
      const { watched, outbox } = (await world.kept(thing)) ?? {};
      expect(outbox).toEqual([]);
      expect(watched?.device).toEqual((await clean.kept(thing))?.watched.device);
    }
  },
);
