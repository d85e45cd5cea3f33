import { describe, expect, it } from '@jest/globals';
import {
  FUNCTION_ARN,
  failures,
  QUEUE_ARN,
  ROLE_ARN,
  type Seen,
  STREAM_ARN,
  streamWorld,
} from './stream-world.ts';

const fails = () => {
  throw new Error('no');
};

describe('a batch', () => {
  it('has the shape AWS gives it', async () => {
    const events: unknown[] = [];
    const world = await streamWorld((_batch, event) => void events.push(event));
    const [sequenceNumber] = await world.put('probe-1');
    world.mapping.start();
    await world.idle();
    expect(events).toEqual([
      {
        Records: [
          {
            kinesis: {
              kinesisSchemaVersion: '1.0',
              partitionKey: 'probe-1',
              sequenceNumber,
              data: 'cHJvYmUtMQ==',
              approximateArrivalTimestamp: Date.parse('2026-01-01T00:00:00Z') / 1000,
            },
            eventSource: 'aws:kinesis',
            eventVersion: '1.0',
            eventID: `shardId-000000000000:${sequenceNumber}`,
            eventName: 'aws:kinesis:record',
            invokeIdentityArn: ROLE_ARN,
            awsRegion: 'eu-central-1',
            eventSourceARN: STREAM_ARN,
          },
        ],
      },
    ]);
  });

  it('has at most so many records', async () => {
    const world = await streamWorld(() => {}, { spec: { batchSize: 2 } });
    await world.put('a', 'b', 'c', 'd', 'e');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('stays below 6 MB', async () => {
    const world = await streamWorld(() => {}, { spec: { batchSize: 10_000 } });
    for (let n = 0; n < 9; n++) await world.put(`key:${'x'.repeat(1_000_000)}`);
    world.mapping.start();
    await world.idle();
    expect(world.batches.map((batch) => batch.length)).toEqual([4, 4, 1]);
  });

  it('waits for its window, but not when it is full', async () => {
    const world = await streamWorld(() => {}, { spec: { batchSize: 3, windowSeconds: 10 } });
    world.mapping.start();
    await world.put('a');
    await world.clock.pass(9000);
    await world.put('b');
    await world.clock.pass(500);
    expect(world.batches).toEqual([]);
    await world.clock.pass(500);
    expect(world.batches).toEqual([['a', 'b']]);
    await world.put('c', 'd', 'e');
    await world.clock.settle();
    expect(world.batches).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
  });

  it('is followed by the next only when it is done', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const world = await streamWorld(() => promise, { spec: { batchSize: 1 } });
    await world.put('a', 'b');
    world.mapping.start();
    await world.clock.settle();
    expect(world.batches).toEqual([['a']]);
    resolve();
    await world.idle();
    expect(world.batches).toEqual([['a'], ['b']]);
  });

  it('comes from one shard', async () => {
    const world = await streamWorld(() => {}, { shardCount: 4 });
    await world.put(...Array.from({ length: 40 }, (_, index) => `device-${index}`));
    world.mapping.start();
    await world.idle();
    expect(world.batches).toHaveLength(4);
    expect(world.batches.flat()).toHaveLength(40);
  });
});

describe('parallelization', () => {
  it('keeps one key in one batch at a time, and in order', async () => {
    const running = new Set<string>();
    const overlaps: string[] = [];
    let most = 0;
    const world = await streamWorld(
      async (batch) => {
        const keys = new Set(batch.map(({ key }) => key));
        for (const key of keys) {
          if (running.has(key)) overlaps.push(key);
          running.add(key);
        }
        most = Math.max(most, running.size);
        await world.clock.sleep(100);
        for (const key of keys) running.delete(key);
      },
      { spec: { parallelizationFactor: 4, batchSize: 1 } },
    );
    const data = Array.from({ length: 60 }, (_, index) => `key-${index % 6}:${index}`);
    await world.put(...data);
    world.mapping.start();
    await world.idle();
    const orderOf = (key: string) => world.batches.flat().filter((text) => text.startsWith(key));
    for (let key = 0; key < 6; key++) {
      expect(orderOf(`key-${key}:`)).toEqual(data.filter((text) => text.startsWith(`key-${key}:`)));
    }
    expect(overlaps).toEqual([]);
    expect(most).toBeGreaterThan(1);
    expect(world.checkpoint()).toBeDefined();
  });
});

describe('a function that fails', () => {
  it('gets the whole batch again, after growing waits, and holds up what is behind', async () => {
    const times: number[] = [];
    const world = await streamWorld(
      (batch) => {
        times.push((world.clock.now() - Date.parse('2026-01-01T00:00:00Z')) / 1000);
        if (batch[0]?.data === 'a' && times.length < 4) fails();
      },
      { spec: { batchSize: 2 } },
    );
    await world.put('a', 'b', 'c');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([['a', 'b'], ['a', 'b'], ['a', 'b'], ['a', 'b'], ['c']]);
    expect(times).toEqual([0, 1, 3, 7, 7]);
  });

  it('is given up on after its retries, which the destination is told', async () => {
    const world = await streamWorld((batch) => (batch[0]?.data === 'a' ? fails() : null), {
      spec: { batchSize: 2, maximumRetryAttempts: 2, onFailureArn: QUEUE_ARN },
    });
    const [first, second] = await world.put('a', 'b', 'c');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([['a', 'b'], ['a', 'b'], ['a', 'b'], ['c']]);
    expect(world.reports).toEqual([
      {
        arn: QUEUE_ARN,
        atMs: expect.any(Number),
        record: {
          requestContext: {
            requestId: 'request-3',
            functionArn: FUNCTION_ARN,
            condition: 'RetryAttemptsExhausted',
            approximateInvokeCount: 3,
          },
          responseContext: {
            statusCode: 200,
            executedVersion: '$LATEST',
            functionError: 'Unhandled',
          },
          version: '1.0',
          timestamp: '2026-01-01T00:00:03.000Z',
          KinesisBatchInfo: {
            shardId: 'shardId-000000000000',
            startSequenceNumber: first,
            endSequenceNumber: second,
            approximateArrivalOfFirstRecord: '2026-01-01T00:00:00.000Z',
            approximateArrivalOfLastRecord: '2026-01-01T00:00:00.000Z',
            batchSize: 2,
            streamArn: STREAM_ARN,
          },
        },
      },
    ]);
  });

  it('is given up on when the records are too old', async () => {
    const world = await streamWorld(fails, {
      spec: { maximumRecordAgeSeconds: 60, onFailureArn: QUEUE_ARN },
    });
    await world.put('a');
    world.mapping.start();
    await world.idle();
    expect(world.reports).toMatchObject([
      { record: { requestContext: { condition: 'RecordAgeExceeded', approximateInvokeCount: 6 } } },
    ]);
  });

  it('never sees records that were too old when they were read', async () => {
    const world = await streamWorld(() => {}, {
      spec: { maximumRecordAgeSeconds: 60, onFailureArn: QUEUE_ARN },
    });
    await world.put('old', 'older');
    await world.clock.pass(61_000);
    await world.put('new');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([['new']]);
    expect(world.reports).toMatchObject([
      {
        record: {
          requestContext: { approximateInvokeCount: 0 },
          KinesisBatchInfo: { batchSize: 2 },
        },
      },
    ]);
  });

  it('is not counted when it never ran', async () => {
    let tries = 0;
    const world = await streamWorld(
      () => {
        if (++tries < 5) throw new Error('throttled');
      },
      { spec: { maximumRetryAttempts: 0, onFailureArn: QUEUE_ARN } },
    );
    await world.put('a');
    world.mapping.start();
    await world.idle();
    expect({ tries, reports: world.reports }).toEqual({ tries: 5, reports: [] });
  });

  it('is not passed over before its destination knows', async () => {
    let tries = 0;
    const world = await streamWorld(fails, {
      spec: { maximumRetryAttempts: 0, onFailureArn: QUEUE_ARN },
      deps: {
        sendFailure: async () => {
          if (++tries < 3) throw new Error('queue away');
        },
      },
    });
    await world.put('a');
    world.mapping.start();
    await world.idle();
    expect(tries).toBe(3);
    expect(world.checkpoint()).toBeDefined();
  });
});

describe('bisection', () => {
  it('isolates the record that fails, without using up retries', async () => {
    const world = await streamWorld(
      (batch) => (batch.some(({ data }) => data === 'x') ? fails() : null),
      {
        spec: { bisectsOnError: true, maximumRetryAttempts: 0, onFailureArn: QUEUE_ARN },
      },
    );
    await world.put('a', 'b', 'c', 'x', 'd', 'e', 'f');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([
      ['a', 'b', 'c', 'x', 'd', 'e', 'f'],
      ['a', 'b', 'c', 'x'],
      ['a', 'b'],
      ['c', 'x'],
      ['c'],
      ['x'],
      ['d', 'e', 'f'],
    ]);
    expect(world.reports).toMatchObject([{ record: { KinesisBatchInfo: { batchSize: 1 } } }]);
  });

  it('cuts at the item reported', async () => {
    const reportsX = (batch: readonly Seen[]) => {
      const bad = batch.find(({ data }) => data === 'x');
      return bad && failures(bad);
    };
    const world = await streamWorld(reportsX, {
      spec: {
        bisectsOnError: true,
        reportsItemFailures: true,
        maximumRetryAttempts: 1,
        onFailureArn: QUEUE_ARN,
      },
    });
    await world.put('a', 'x', 'b');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([['a', 'x', 'b'], ['x', 'b'], ['x'], ['x'], ['b']]);
    expect(world.reports).toMatchObject([
      { record: { KinesisBatchInfo: { batchSize: 1 }, responseContext: { functionError: null } } },
    ]);
  });
});

describe('partial failures', () => {
  it('are taken up at the lowest record reported', async () => {
    let calls = 0;
    const world = await streamWorld(
      (batch) => (++calls === 1 ? failures(batch[3], batch[1]) : null),
      {
        spec: { reportsItemFailures: true },
      },
    );
    const sequenceNumbers = await world.put('a', 'b', 'c', 'd');
    world.mapping.start();
    await world.clock.settle();
    expect(world.checkpoint()).toBe(sequenceNumbers[0]);
    await world.idle();
    expect(world.batches).toEqual([
      ['a', 'b', 'c', 'd'],
      ['b', 'c', 'd'],
    ]);
    expect(world.checkpoint()).toBe(sequenceNumbers[3]);
  });

  it('are not looked for unless the mapping asks for them', async () => {
    const world = await streamWorld((batch) => failures(batch[0]));
    await world.put('a');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([['a']]);
  });

  it('with a misspelt key fail the whole batch', async () => {
    let calls = 0;
    const world = await streamWorld(
      () => (++calls === 1 ? { batchItemFailures: [{ id: 1 }] } : null),
      {
        spec: { reportsItemFailures: true },
      },
    );
    await world.put('a', 'b');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });
});

describe('filters', () => {
  it('drop records before the function, for good', async () => {
    const world = await streamWorld(() => {}, {
      spec: { filters: ['{"data":{"n":[{"numeric":[">",1]}]}}'] },
    });
    const sequenceNumbers = await world.put('{"n":1}', '{"n":2}', 'no JSON', '{"n":3}', '{"n":0}');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([['{"n":2}', '{"n":3}']]);
    expect(world.checkpoint()).toBe(sequenceNumbers[4]);
  });

  it('that cannot be compiled are refused when the mapping is made', async () => {
    await expect(streamWorld(() => {}, { spec: { filters: ['{"data":["x"]}'] } })).rejects.toThrow(
      'Filters[0].data',
    );
  });
});

describe('a restart', () => {
  it('goes on behind what was done', async () => {
    const world = await streamWorld(() => {}, { spec: { batchSize: 1 } });
    await world.put('a', 'b');
    world.mapping.start();
    await world.idle();
    await world.clock.run(world.mapping.stop());
    await world.put('c');
    const second = world.mappingOf();
    second.start();
    await world.clock.run(second.idle());
    expect(world.batches.flat()).toEqual(['a', 'b', 'c']);
  });

  it('repeats what was not done', async () => {
    let calls = 0;
    const world = await streamWorld(() => (++calls === 1 ? fails() : null));
    await world.put('a', 'b');
    world.mapping.start();
    await world.clock.settle();
    await world.clock.run(world.mapping.stop());
    expect(world.checkpoint()).toBeUndefined();
    const second = world.mappingOf();
    second.start();
    await world.clock.run(second.idle());
    expect(world.batches).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it.each([
    { startingPosition: 'TRIM_HORIZON' as const, sees: ['before', 'away', 'after'] },
    { startingPosition: 'LATEST' as const, sees: ['away', 'after'] },
    {
      startingPosition: { timestampMs: Date.parse('2026-01-01T00:01:00Z') },
      sees: ['away', 'after'],
    },
  ])(
    'of a mapping from $startingPosition skips nothing that came meanwhile',
    async ({ startingPosition, sees }) => {
      const world = await streamWorld(() => {}, { spec: { startingPosition } });
      await world.put('before');
      await world.clock.pass(60_000);
      const first = world.mappingOf();
      first.start();
      await first.stop();
      await world.put('away');
      world.mapping.start();
      await world.put('after');
      await world.idle();
      const seen = world.batches.flat();
      expect(seen.slice(seen.length - sees.length)).toEqual(sees);
      expect(new Set(seen)).toEqual(new Set(sees));
    },
  );

  it('with a checkpoint of another stream begins anew, and says so', async () => {
    const world = await streamWorld(() => {});
    await world.streams.saveCheckpoint('mapping-1', 'shardId-000000000000', 'nonsense');
    await world.put('a');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([['a']]);
    expect(world.log).toMatchObject([{ level: 'warn' }]);
  });
});

describe('a mapping', () => {
  it.each([
    { lacks: 'kinesis:GetRecords', on: STREAM_ARN },
    { lacks: 'kinesis:GetShardIterator', on: STREAM_ARN },
    { lacks: 'kms:Decrypt', on: 'arn:aws:kms:eu-central-1:000000000000:key/1' },
    { lacks: 'sqs:SendMessage', on: QUEUE_ARN },
  ])('whose role lacks $lacks does not start, and says so', async ({ lacks, on }) => {
    const world = await streamWorld(() => {}, {
      spec: { onFailureArn: QUEUE_ARN },
      keyArn: 'arn:aws:kms:eu-central-1:000000000000:key/1',
      deps: {
        authorize: (caller, { action }) => {
          expect(caller).toEqual({ kind: 'function', functionName: 'ingest', roleArn: ROLE_ARN });
          return { allowed: action !== lacks, explanation: 'no statement allows it' };
        },
      },
    });
    await world.put('a');
    world.mapping.start();
    await world.idle();
    expect(world.batches).toEqual([]);
    expect(world.mapping.state()).toEqual({
      status: 'failed',
      problem: `ingest cannot be fed from ${STREAM_ARN}: its role may not ${lacks} on ${on}: no statement allows it`,
    });
  });

  it('that is disabled does nothing', async () => {
    const world = await streamWorld(() => {}, { spec: { enabled: false } });
    await world.put('a');
    world.mapping.start();
    await world.idle();
    expect({ batches: world.batches, state: world.mapping.state() }).toEqual({
      batches: [],
      state: { status: 'disabled' },
    });
  });

  it('does not poll a stream in which nothing happens', async () => {
    const world = await streamWorld(() => {});
    let reads = 0;
    const mapping = world.mappingOf({
      streams: {
        ...world.streams,
        read: (...what) => {
          reads += 1;
          return world.streams.read(...what);
        },
      },
    });
    mapping.start();
    await world.clock.settle();
    const before = reads;
    await world.clock.pass(3_600_000);
    expect(reads).toBe(before);
    await mapping.stop();
  });
});
