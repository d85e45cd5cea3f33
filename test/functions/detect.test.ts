import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SETTINGS_AGE_MS } from '../../shared/adapters/detection/detection-settings-table.ts';
import type { Reading } from '../../shared/core/reading.ts';
import { healthy, MINUTE_MS, openDetectWorld, readingAt, T0 } from '../support/detection-world.ts';
import { plentyOfTime } from '../support/retry-tools.ts';

let world: Awaited<ReturnType<typeof openDetectWorld>>;
beforeEach(async () => {
  world = await openDetectWorld();
});
afterEach(() => world.close());

const DONE = { batchItemFailures: [] };
const HEALTHY = 60;

/** An hour of a healthy device. */
async function warmUp(thing = 'probe-1'): Promise<void> {
  const readings = healthy(HEALTHY, T0, { thing });
  for (let at = 0; at < readings.length; at += 20) {
    const part = readings.slice(at, at + 20);
    world.clock.nowMs = part.at(-1)?.receivedAtMs ?? T0;
    expect(await world.container().take(world.eventOf(part))).toEqual(DONE);
  }
}
const later = (minutes: number): number => T0 + (HEALTHY + minutes) * MINUTE_MS;
const spike = (minutes = 0): Reading => readingAt(later(minutes), { temperature: 85 });

describe('an anomaly', () => {
  it('is recorded and told in one sentence, to subscribers and to dashboards', async () => {
    await warmUp();
    await world.container().take(world.eventOf([spike()]));
    const [record, ...others] = await world.recorded();
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      thing: 'probe-1',
      fleet: 'acme',
      metric: 'temperature',
      kind: 'spike',
      state: 'open',
      version: 1,
      direction: 'above',
      observed: 85,
      openedAtMs: later(0),
    });
    expect(world.sns).toEqual([
      {
        arn: 'arn:aws:sns:eu-central-1:000000000000:anomalies',
        subject: 'spike, temperature of probe-1',
        sentence: record?.sentence,
        body: world.mqtt[0]?.body,
        attributes: expect.objectContaining({ id: record?.id, version: 1, fleet: 'acme' }),
      },
    ]);
    expect(world.mqtt).toMatchObject([{ topic: 'an/acme/probe-1' }]);
    expect(JSON.parse(world.mqtt[0]?.body ?? '')).toEqual(record);
    expect(record?.sentence).toMatch(/^temperature of probe-1 reads 85, above /);
  });

  it('closes under its id and the next version when all is well again', async () => {
    await warmUp();
    await world.container().take(world.eventOf([spike()]));
    const calm = healthy(12, later(1), { seed: 2 });
    await world.container().take(world.eventOf(calm));
    const [record] = await world.recorded();
    expect(record).toMatchObject({ state: 'closed', version: 2 });
    const told = world.mqtt.map(({ body }) => JSON.parse(body));
    expect(told.map(({ id, version }) => ({ id, version }))).toEqual([
      { id: record?.id, version: 1 },
      { id: record?.id, version: 2 },
    ]);
  });

  it('is recorded and told once, whatever is redelivered', async () => {
    await warmUp();
    const event = world.eventOf([spike(), ...healthy(2, later(1), { seed: 2 })]);
    await world.container().take(event);
    const after = await world.kept('probe-1');
    expect(await world.container().take(event)).toEqual(DONE);
    expect(await world.kept('probe-1')).toEqual(after);
    expect(world.mqtt).toHaveLength(1);
  });

  it('is told when its container died between the commit and the telling, although the device is silent since', async () => {
    await warmUp();
    const dying = world.container({
      live: { publish: () => new Promise(() => undefined) },
    });
    void dying.take(world.eventOf([spike()]));
    while ((await world.kept('probe-1'))?.outbox.length !== 1) await new Promise(setImmediate);
    world.clock.nowMs += 10_000;
    await world.container().sweep();
    expect(world.mqtt).toEqual([]);
    world.clock.nowMs += MINUTE_MS;
    await world.container().sweep();
    await world.container().sweep();
    expect(world.mqtt).toHaveLength(1);
    expect(world.sns).toHaveLength(1);
    expect(await world.recorded()).toMatchObject([{ kind: 'spike', version: 1 }]);
    expect((await world.kept('probe-1'))?.outbox).toEqual([]);
  });

  it('is told before a replayed batch is done with, when telling failed', async () => {
    await warmUp();
    const event = world.eventOf([spike()]);
    const deaf = world.container({
      live: {
        publish: async (messages) => messages.map((item) => ({ item, reason: 'throttled' })),
      },
    });
    const [record] = event.Records;
    expect(await deaf.take(event)).toEqual({
      batchItemFailures: [{ itemIdentifier: record?.kinesis.sequenceNumber }],
    });
    expect(await world.container().take(event)).toEqual(DONE);
    expect(world.mqtt).toHaveLength(1);
    expect(await world.recorded()).toHaveLength(1);
  });

  it('does not hold up other devices when telling it fails', async () => {
    await warmUp();
    await warmUp('probe-2');
    const event = world.eventOf([
      spike(),
      readingAt(later(0), { temperature: 21 }, { thing: 'probe-2' }),
    ]);
    const deaf = world.container({ live: { publish: () => Promise.reject(new Error('gone')) } });
    const { batchItemFailures } = await deaf.take(event);
    expect(batchItemFailures).toHaveLength(1);
    const upTo = BigInt(event.Records[1]?.kinesis.sequenceNumber ?? 0);
    expect((await world.kept('probe-2'))?.watched.progress.upTo).toBe(upTo);
  });
});

describe('a reading', () => {
  const readingsOf = async (thing = 'probe-1') =>
    (await world.kept(thing))?.watched.device.metrics.get('temperature')?.track.readings;

  it('that is put on the stream once more counts once', async () => {
    await warmUp();
    const before = (await readingsOf()) ?? 0;
    const one = readingAt(later(0), { temperature: 21 });
    await world.container().take(world.eventOf([one]));
    await world.container().take(world.eventOf([one]));
    await world.container().take(world.eventOf([one, readingAt(later(1), { temperature: 21.3 })]));
    expect(await readingsOf()).toBe(before + 2);
  });

  it('that broke a limit and is put on the stream once more tells nothing new', async () => {
    const units = { temperature: '°C' };
    const [cold, ...calm] = [-300, 21, 22, 23].map((temperature, minute) =>
      readingAt(T0 + minute * MINUTE_MS, { temperature }, { units }),
    );
    if (cold === undefined) throw new Error('there is one');
    await world.container().take(world.eventOf([cold, ...calm]));
    expect(await world.recorded()).toMatchObject([{ kind: 'out of range', state: 'closed' }]);
    const before = await world.kept('probe-1');
    await world.container().take(world.eventOf([cold]));
    expect(world.mqtt).toHaveLength(2);
    expect((await world.kept('probe-1'))?.watched.device).toEqual(before?.watched.device);
  });

  it('counts once when two containers have it at the same time', async () => {
    await warmUp();
    const before = (await readingsOf()) ?? 0;
    const event = world.eventOf([spike()]);
    const both = [world.container(), world.container()].map((one) => one.take(event));
    expect(await Promise.all(both)).toEqual([DONE, DONE]);
    expect(await readingsOf()).toBe(before + 1);
    expect(await world.recorded()).toMatchObject([{ version: 1 }]);
  });

  it('that is none goes to the dead letters, and the others go on', async () => {
    const event = world.eventOf([
      readingAt(T0, { temperature: 20 }),
      { ...readingAt(T0, { temperature: 20 }), fleet: 'not a name' },
      readingAt(T0 + MINUTE_MS, { temperature: 21 }),
    ]);
    expect(await world.container().take(event)).toEqual(DONE);
    expect(world.letters).toMatchObject([{ function: 'detect', code: 'MALFORMED_READING' }]);
    expect(await readingsOf()).toBe(2);
  });
});

describe('state that is damaged', () => {
  it.each([
    { what: 'the hot part', field: 'd', value: { B: Uint8Array.of(9, 9, 9) } },
    { what: 'the progress', field: 'p', value: { B: Uint8Array.of(7) } },
    { what: 'what is open', field: 'o', value: { B: Uint8Array.of(1, 2, 3) } },
    { what: 'the outbox', field: 'x', value: { S: '{"half' } },
    { what: 'a detector', field: 'm', value: { S: '[]' } },
    { what: 'the revision', field: 'r', value: undefined },
  ])('in $what begins anew, with a line of the log', async ({ field, value }) => {
    await warmUp();
    const { Item = {} } = await getHot();
    const { [field]: _old, ...rest } = Item;
    await world.db.send(
      new PutItemCommand({
        TableName: 'detection',
        Item: { ...rest, ...(value === undefined ? {} : { [field]: value }) },
      }),
    );
    for (let minute = 0; minute < 3; minute += 1) {
      const event = world.eventOf([readingAt(later(minute), { temperature: 21 })]);
      expect(await world.container().take(event)).toEqual(DONE);
    }
    const lines = world.logged.filter(({ message }) => /began anew/.test(message));
    expect(lines).toHaveLength(field === 'r' ? 0 : 1);
    expect((await world.kept('probe-1'))?.lost).toEqual([]);
  });
});

it('an anomaly is told as over when the state that it was open in is lost', async () => {
  await warmUp();
  await world.container().take(world.eventOf([spike()]));
  const { Item = {} } = await getHot();
  const damaged = { ...Item, o: { S: '{"half' } };
  await world.db.send(new PutItemCommand({ TableName: 'detection', Item: damaged }));
  world.clock.nowMs = later(9);
  await world.container().take(world.eventOf([readingAt(later(1), { temperature: 21 })]));
  expect(await world.recorded()).toMatchObject([
    { kind: 'spike', state: 'closed', version: 2, closedAtMs: later(9) },
  ]);
  expect(world.mqtt).toHaveLength(2);
});

describe('settings', () => {
  it('hold for what comes a minute later: a range, and then a mute', async () => {
    await warmUp();
    const container = world.container();
    const narrow = {
      what: 'options',
      fleet: 'acme',
      metric: 'temperature',
      options: { range: { high: 20 } },
    } as const;
    await container.take(world.eventOf([readingAt(later(0), { temperature: 21 })]));
    await world.settings.put(narrow, plentyOfTime);
    await container.take(world.eventOf([readingAt(later(1), { temperature: 21.1 })]));
    expect(await world.recorded()).toEqual([]);
    world.clock.nowMs += SETTINGS_AGE_MS;
    await container.take(world.eventOf([readingAt(later(2), { temperature: 21.2 })]));
    expect(await world.recorded()).toMatchObject([{ kind: 'out of range', high: 20 }]);
    const by = { by: 'ann', atMs: world.clock.nowMs };
    await world.settings.mute({ fleet: 'acme', thing: 'probe-1' }, later(60), by, plentyOfTime);
    world.clock.nowMs += SETTINGS_AGE_MS;
    await container.take(world.eventOf([spike(3)]));
    expect(await world.recorded()).toHaveLength(1);
  });

  it('that cannot be read do not count, and are named', async () => {
    const Item = {
      pk: { S: 'fleet#acme' },
      sk: { S: 'options#type##x' },
      body: { S: '{"what":"options"}' },
    };
    await world.db.send(new PutItemCommand({ TableName: 'detection-settings', Item }));
    const event = world.eventOf([readingAt(T0, { x: 1 })]);
    expect(await world.container().take(event)).toEqual(DONE);
    expect(world.logged.filter(({ level }) => level === 'error')).toMatchObject([
      {
        level: 'error',
        fields: { fleet: 'acme', problems: [expect.stringContaining('options#type##x')] },
      },
    ]);
  });

  it('may hold a detector model, whose states open and close an anomaly', async () => {
    const event = (eventName: string, condition: string, nextState: string) => ({
      eventName,
      condition,
      nextState,
    });
    await world.settings.put(
      {
        what: 'model',
        fleet: 'acme',
        name: 'boiler',
        input: 'boiler',
        model: {
          detectorModelName: 'boiler',
          detectorModelDefinition: {
            initialStateName: 'Normal',
            states: [
              {
                stateName: 'Normal',
                onInput: {
                  transitionEvents: [event('hot', '$input.boiler.temperature > 50', 'Hot')],
                },
              },
              {
                stateName: 'Hot',
                onInput: {
                  transitionEvents: [event('ok', '$input.boiler.temperature < 40', 'Normal')],
                },
              },
            ],
          },
        },
      },
      plentyOfTime,
    );
    const container = world.container();
    for (const [minute, temperature] of [20, 60, 61, 30].entries()) {
      await container.take(world.eventOf([readingAt(T0 + minute * MINUTE_MS, { temperature })]));
    }
    const told = world.mqtt.map(({ body }) => JSON.parse(body));
    expect(told).toMatchObject([
      { kind: 'rule', state: 'open', version: 1, openedAtMs: T0 + MINUTE_MS },
      { kind: 'rule', state: 'closed', version: 2, closedAtMs: T0 + 3 * MINUTE_MS },
    ]);
    expect(told[0].sentence).toBe(
      'probe-1 is in state Hot of the detector model boiler, since 2026-09-21 00:01:00Z.',
    );
  });
});

describe('a device', () => {
  it('whose state fits no item is left behind, and holds up nobody', async () => {
    const tooLarge = Object.assign(new Error('Item size has exceeded'), {
      name: 'ValidationException',
    });
    const container = world.container({
      devices: {
        ...world.devices,
        save: (thing, ...rest) =>
          thing === 'probe-1' ? Promise.reject(tooLarge) : world.devices.save(thing, ...rest),
      },
    });
    const other = readingAt(T0, { temperature: 20 }, { thing: 'probe-2' });
    const event = world.eventOf([readingAt(T0, { temperature: 20 }), other]);
    expect(await container.take(event)).toEqual(DONE);
    expect(world.letters).toMatchObject([{ code: 'STATE_TOO_LARGE', partitionKey: 'probe-1' }]);
    expect((await world.kept('probe-2'))?.revision).toBe(1);
  });

  const many = (prefix: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, at]));

  it('with ten thousand metrics has 256 of them watched, and is told of once', async () => {
    const container = world.container();
    for (let part = 0; part < 40; part += 1) {
      const reading = readingAt(T0 + part * MINUTE_MS, many(`m${part}-`, 250));
      expect(await container.take(world.eventOf([reading]))).toEqual(DONE);
    }
    expect((await world.kept('probe-1'))?.watched.device.metrics.size).toBe(256);
    const warnings = world.logged.filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([
      { message: 'more metrics than are watched', fields: { thing: 'probe-1' } },
    ]);
  });

  it('of which every metric goes wrong at once is told of all of them', async () => {
    const container = world.container();
    for (let minute = 0; minute < 40; minute += 1) {
      const metrics = Object.fromEntries(
        Array.from({ length: 250 }, (_, at) => [`m${at}`, 20 + ((minute * 7 + at) % 5)]),
      );
      await container.take(world.eventOf([readingAt(T0 + minute * MINUTE_MS, metrics)]));
    }
    world.mqtt.length = 0;
    const wrong = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`m${at}`, 900]));
    const event = world.eventOf([readingAt(T0 + 40 * MINUTE_MS, wrong)]);
    expect(await container.take(event)).toEqual(DONE);
    expect(new Set(world.mqtt.map(({ body }) => JSON.parse(body).metric)).size).toBe(250);
  });

  it('that sends a year in one go is done within the time of a batch or two', async () => {
    const year = Array.from({ length: 8760 }, (_, hour) =>
      readingAt(
        T0 - (8760 - hour) * 3_600_000,
        { temperature: 20 + 5 * Math.sin(hour / 3.82), load: (hour * 7_919) % 13 },
        { receivedAtMs: T0 },
      ),
    );
    const container = world.container();
    const startedAtMs = performance.now();
    for (let at = 0; at < year.length; at += 1000) {
      expect(await container.take(world.eventOf(year.slice(at, at + 1000)))).toEqual(DONE);
    }
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
    expect((await world.recorded()).length).toBeLessThan(100);
  });
});

const getHot = () =>
  world.db.send(
    new GetItemCommand({ TableName: 'detection', Key: { pk: { S: 'probe-1' }, sk: { S: 'hot' } } }),
  );
