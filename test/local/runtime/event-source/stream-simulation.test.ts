import { Buffer } from 'node:buffer';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';
import { failures, QUEUE_ARN, type Seen, streamWorld } from './stream-world.ts';

/*
 * A function that fails in every way there is, throttles, destinations that are away, crashes of the
 * laptop at any moment: after the faults have ended, each record was processed or reported, and no
 * function ever saw a record before those of its key that came earlier were dealt with.
 */

const Report = z.object({
  requestContext: z.object({ condition: z.string() }),
  KinesisBatchInfo: z.object({
    shardId: z.string(),
    startSequenceNumber: z.string(),
    endSequenceNumber: z.string(),
    batchSize: z.number(),
    approximateArrivalOfLastRecord: z.string(),
  }),
});

type Info = z.infer<typeof Report>['KinesisBatchInfo'];

type Action =
  | { readonly kind: 'put'; readonly count: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'crash' }
  | { readonly kind: 'restart' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.integer({ min: 0, max: 20_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);

const plan = fc.record({
  seed: fc.integer(),
  shardCount: fc.integer({ min: 1, max: 3 }),
  batchSize: fc.integer({ min: 1, max: 8 }),
  windowSeconds: fc.constantFrom(0, 0, 1, 3),
  parallelizationFactor: fc.constantFrom(1, 1, 3),
  bisectsOnError: fc.boolean(),
  reportsItemFailures: fc.boolean(),
  maximumRetryAttempts: fc.constantFrom(-1, 0, 1, 3),
  /** Only where there is one lane: a report names a stretch of the shard, not a lane of it. */
  ages: fc.boolean(),
  filtered: fc.boolean(),
  actions: fc.array(action, { minLength: 1, maxLength: 25 }),
});
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;

/** Mulberry32: small, seeded, good enough to pick faults. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const never = (): Promise<never> => new Promise(() => {});

async function simulate(given: Plan): Promise<void> {
  const { shardCount, filtered, actions, seed, ages, ...settings } = given;
  const isOneLane = settings.parallelizationFactor === 1;
  const maximumRecordAgeSeconds = ages && isOneLane ? 60 : -1;
  const random = generator(seed);
  const order = new Map<string, string[]>();
  const placeOf = new Map<string, { readonly key: string; readonly index: number }>();
  const passes = new Set<string>();
  const processed = new Set<string>();
  const reported = new Set<string>();
  const history: (readonly Seen[])[] = [];
  const busyKeys = new Map<string, number>();
  const violations: string[] = [];
  let areFaultsOver = false;
  const faultsOn = () => !areFaultsOver;
  let generation = 0;

  const givesUp = settings.maximumRetryAttempts >= 0 || maximumRecordAgeSeconds >= 0;
  const isPoison = ({ data }: Seen): boolean => givesUp && data.includes('poison');
  const isDealtWith = (sequenceNumber: string): boolean =>
    processed.has(sequenceNumber) || reported.has(sequenceNumber) || !passes.has(sequenceNumber);

  const checkOrder = (batch: readonly Seen[]): void => {
    const before = new Set<string>();
    for (const { key, sequenceNumber } of batch) {
      if (!passes.has(sequenceNumber)) violations.push(`saw ${sequenceNumber}, which is filtered`);
      const { index = -1 } = placeOf.get(sequenceNumber) ?? {};
      const earlier = (order.get(key) ?? []).slice(0, index);
      const skipped = earlier.filter((other) => !isDealtWith(other) && !before.has(other));
      if (skipped.length > 0) violations.push(`saw ${sequenceNumber} before ${skipped}`);
      before.add(sequenceNumber);
    }
  };

  const succeed = (records: readonly Seen[]): void => {
    for (const { sequenceNumber } of records) processed.add(sequenceNumber);
  };

  const answer = (batch: readonly Seen[]): unknown => {
    const poisonAt = batch.findIndex(isPoison);
    const luck = faultsOn() ? random() : 1;
    if (luck < 0.1) throw new Error('throttled');
    if (luck < 0.25) throw new Error('bad day');
    if (settings.reportsItemFailures) {
      if (luck < 0.3) return { batchItemFailures: [{ itemIdentifier: null }] };
      const unlucky = luck < 0.45 ? Math.floor(random() * batch.length) : batch.length;
      const failedAt = Math.min(unlucky, poisonAt < 0 ? batch.length : poisonAt);
      succeed(batch.slice(0, failedAt));
      return failedAt < batch.length ? failures(batch.at(-1), batch[failedAt]) : null;
    }
    if (poisonAt >= 0) throw new Error('poison');
    succeed(batch);
    return null;
  };

  const behave = async (batch: readonly Seen[]): Promise<unknown> => {
    history.push(batch);
    checkOrder(batch);
    const keys = new Set(batch.map(({ key }) => key));
    const mine = generation;
    for (const key of keys) {
      if (busyKeys.get(key) === mine) violations.push(`two batches with ${key} at a time`);
      busyKeys.set(key, mine);
    }
    if (random() < 0.5) await world.clock.sleep(random() * 2000);
    for (const key of keys) busyKeys.delete(key);
    return answer(batch);
  };

  const world = await streamWorld(behave, {
    shardCount,
    spec: {
      ...settings,
      maximumRecordAgeSeconds,
      ...(filtered && { filters: ['{"data":{"keep":[true]}}'] }),
      onFailureArn: QUEUE_ARN,
    },
  });

  const report = (record: unknown): void => {
    const { requestContext, KinesisBatchInfo: info } = Report.parse(record);
    const youngestMs = world.clock.now() - Date.parse(info.approximateArrivalOfLastRecord);
    const isTooOld = requestContext.condition === 'RecordAgeExceeded';
    if (isTooOld && youngestMs <= 60_000) violations.push(`given up at ${youngestMs} ms of age`);
    const records = isOneLane ? stretch(info) : lastTried(info);
    if (records.length !== info.batchSize)
      violations.push(`a wrong report: ${JSON.stringify(info)}`);
    for (const sequenceNumber of records) reported.add(sequenceNumber);
  };

  const stretch = ({ shardId, startSequenceNumber, endSequenceNumber }: Info): string[] =>
    world.streams
      .read('uplinks', shardId, { at: startSequenceNumber }, 10_000)
      .map(({ sequenceNumber }) => sequenceNumber)
      .filter((one) => passes.has(one) && one <= endSequenceNumber);

  const lastTried = ({ startSequenceNumber, endSequenceNumber, batchSize }: Info): string[] => {
    const isIt = (batch: readonly Seen[]) =>
      batch.at(-1)?.sequenceNumber === endSequenceNumber &&
      batch.at(-batchSize)?.sequenceNumber === startSequenceNumber;
    const batch = history.findLast(isIt) ?? [];
    return batch.slice(-batchSize).map(({ sequenceNumber }) => sequenceNumber);
  };

  /** A mapping that a crash cuts off from the world in the middle of whatever it is doing. */
  const open = () => {
    const mine = ++generation;
    const isDead = () => mine !== generation;
    const mapping = world.mappingOf({
      streams: {
        ...world.streams,
        onAppend: (listener) =>
          world.streams.onAppend((...what) => void (isDead() || listener(...what))),
        saveCheckpoint: (...what) => (isDead() ? never() : world.streams.saveCheckpoint(...what)),
      },
      invoke: async (...what) => {
        if (isDead()) return await never();
        const result = await world.invoke(...what);
        return isDead() ? await never() : result;
      },
      sendFailure: async (_arn, record) => {
        if (isDead()) return await never();
        if (faultsOn() && random() < 0.3) throw new Error('the queue is away');
        report(record);
      },
      random,
    });
    mapping.start();
    return mapping;
  };

  const put = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      const key = `key-${Math.floor(random() * 6)}`;
      const keep = random() < 0.8;
      const text = JSON.stringify({ keep, what: random() < 0.08 ? 'poison' : 'good' });
      const [result] = await world.streams.put('uplinks', [
        { data: Buffer.from(text), partitionKey: key },
      ]);
      if (!result || !('sequenceNumber' in result)) throw new Error('the stream took no record');
      const before = order.get(key) ?? [];
      placeOf.set(result.sequenceNumber, { key, index: before.length });
      order.set(key, [...before, result.sequenceNumber]);
      if (keep || !filtered) passes.add(result.sequenceNumber);
    }
  };

  let mapping = open();
  for (const step of actions) {
    if (step.kind === 'put') await put(step.count);
    if (step.kind === 'pass') await world.clock.pass(step.ms);
    if (step.kind === 'restart') await world.clock.run(mapping.stop());
    if (step.kind === 'restart' || step.kind === 'crash') mapping = open();
  }
  areFaultsOver = true;
  await world.clock.run(mapping.idle());
  await world.clock.run(mapping.stop());

  const lost = [...passes].filter((one) => !processed.has(one) && !reported.has(one));
  /** One checkpoint for all lanes: what one lane did ahead of another comes again after a restart. */
  const mayRepeat = actions.some(
    ({ kind }) => kind === 'crash' || (kind === 'restart' && !isOneLane),
  );
  const twice = [...passes].filter((one) => processed.has(one) && reported.has(one));
  expect({ lost, violations }).toEqual({ lost: [], violations: [] });
  if (!mayRepeat) expect(twice).toEqual([]);
  if (settings.maximumRetryAttempts < 0 && maximumRecordAgeSeconds < 0)
    expect(reported.size).toBe(0);
  for (const shardId of world.streams.shards('uplinks')) {
    const last = world.streams.read('uplinks', shardId, 'TRIM_HORIZON', 10_000).at(-1);
    if (last) expect(world.checkpoint(shardId)).toBe(last.sequenceNumber);
  }
}

it('loses no record and overtakes none, whatever fails', async () => {
  await fc.assert(fc.asyncProperty(plan, simulate), { numRuns: 300 });
});
