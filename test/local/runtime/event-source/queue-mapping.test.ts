import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import type { LogEntry } from '../../../../local/core/log.ts';
import {
  createQueueMapping,
  type QueueMappingDeps,
  type QueueMappingSpec,
} from '../../../../local/runtime/event-source-mapping.ts';
import type { InvokeResult } from '../../../../local/runtime/lambda.ts';
import { createQueueStore } from '../../../../local/stores/queue-store.ts';
import { virtualClock } from '../virtual-clock.ts';

const QUEUE = 'arn:aws:sqs:eu-central-1:000000000000:work';
const Event = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });

type Seen = z.infer<typeof Event>['Records'][number];

interface Setup {
  readonly spec?: Partial<QueueMappingSpec>;
  readonly deps?: Partial<QueueMappingDeps>;
  readonly attributes?: Record<string, string>;
}

/** A queue, a virtual clock, and a mapping to a function that behaves as it is told. */
function setup(
  behave: (batch: readonly Seen[], event: unknown) => unknown,
  { spec, deps, attributes }: Setup = {},
) {
  const clock = virtualClock();
  let ids = 0;
  const uuid = () => `id-${++ids}`;
  const queues = createQueueStore({ now: clock.now, uuid, timer: clock.timer });
  queues.create({
    name: 'work',
    arn: QUEUE,
    url: 'https://sqs.eu-central-1.amazonaws.com/000000000000/work',
    attributes: { VisibilityTimeout: '30', ...attributes },
  });
  const batches: string[][] = [];
  const log: LogEntry[] = [];
  const invoke = async (_name: string, event: unknown): Promise<InvokeResult> => {
    const { Records } = Event.parse(event);
    batches.push(Records.map(({ body }) => body));
    try {
      return { ok: true, payload: (await behave(Records, event)) ?? null, requestId: 'r' };
    } catch (error) {
      if (error instanceof Error && error.message === 'throttled') throw error;
      const payload = { errorType: 'Error', errorMessage: String(error) };
      return { ok: false, functionError: 'Unhandled', payload, requestId: 'r' };
    }
  };
  const mapping = createQueueMapping(
    {
      kind: 'queue',
      id: 'mapping-1',
      enabled: true,
      functionName: 'register',
      functionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:register',
      roleArn: 'arn:aws:iam::000000000000:role/register',
      sourceArn: QUEUE,
      queueName: 'work',
      batchSize: 10,
      windowSeconds: 0,
      reportsItemFailures: false,
      filters: [],
      functionTimeoutSeconds: 10,
      ...spec,
    },
    {
      queues,
      invoke,
      authorize: () => ({ allowed: true, explanation: '' }),
      now: clock.now,
      sleep: clock.sleep,
      random: () => 1,
      log: (entry) => log.push(entry),
      ...deps,
    },
  );
  const send = (...bodies: readonly string[]) => {
    for (const body of bodies) queues.send('work', { body });
  };
  const left = () => {
    const counts = queues.attributes('work');
    return (
      Number(counts['ApproximateNumberOfMessages']) +
      Number(counts['ApproximateNumberOfMessagesNotVisible'])
    );
  };
  return {
    clock,
    queues,
    mapping,
    batches,
    log,
    send,
    left,
    idle: () => clock.run(mapping.idle()),
  };
}

describe('a batch of messages', () => {
  it('has the shape AWS gives it', async () => {
    const events: unknown[] = [];
    const world = setup((_batch, event) => void events.push(event));
    world.queues.send('work', {
      body: 'hello',
      attributes: { code: { DataType: 'String', StringValue: 'x' } },
    });
    world.mapping.start();
    await world.idle();
    expect(events).toEqual([
      {
        Records: [
          {
            messageId: 'id-1',
            receiptHandle: expect.any(String),
            body: 'hello',
            attributes: {
              ApproximateReceiveCount: '1',
              SentTimestamp: String(Date.parse('2026-01-01T00:00:00Z')),
              SenderId: '000000000000',
              ApproximateFirstReceiveTimestamp: String(Date.parse('2026-01-01T00:00:00Z')),
            },
            messageAttributes: {
              code: {
                stringValue: 'x',
                stringListValues: [],
                binaryListValues: [],
                dataType: 'String',
              },
            },
            md5OfBody: '5d41402abc4b2a76b9719d911017c592',
            md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
            eventSource: 'aws:sqs',
            eventSourceARN: QUEUE,
            awsRegion: 'eu-central-1',
          },
        ],
      },
    ]);
  });

  it('is deleted when the function has dealt with it', async () => {
    const world = setup(() => {});
    world.send('a', 'b', 'c');
    world.mapping.start();
    await world.idle();
    expect({ batches: world.batches.flat().sort(), left: world.left() }).toEqual({
      batches: ['a', 'b', 'c'],
      left: 0,
    });
  });

  it('comes again after the visibility timeout when the function fails', async () => {
    let calls = 0;
    const world = setup(() => {
      if (++calls === 1) throw new Error('no');
    });
    world.send('a', 'b');
    world.mapping.start();
    await world.idle();
    expect({ batches: world.batches, left: world.left() }).toEqual({
      batches: [['a', 'b']],
      left: 2,
    });
    await world.clock.pass(31_000);
    expect({ calls, left: world.left() }).toEqual({ calls: 2, left: 0 });
  });

  it('comes again when the function was throttled', async () => {
    let calls = 0;
    const world = setup(() => {
      if (++calls === 1) throw new Error('throttled');
    });
    world.send('a');
    world.mapping.start();
    await world.clock.pass(31_000);
    expect({ calls, left: world.left() }).toEqual({ calls: 2, left: 0 });
  });

  it('keeps the messages that are reported as failed', async () => {
    const world = setup(
      (batch) => ({
        batchItemFailures: batch
          .filter(({ body }) => body === 'bad')
          .map(({ messageId }) => ({ itemIdentifier: messageId })),
      }),
      { spec: { reportsItemFailures: true } },
    );
    world.send('a', 'bad', 'b');
    world.mapping.start();
    await world.idle();
    expect(world.left()).toBe(1);
  });

  it('waits for its window, and grows beyond ten', async () => {
    const world = setup(() => {}, { spec: { batchSize: 25, windowSeconds: 5 } });
    world.mapping.start();
    await world.clock.settle();
    world.send(...Array.from({ length: 12 }, (_, index) => `m${index}`));
    await world.clock.pass(4000);
    expect(world.batches).toEqual([]);
    world.send('late');
    await world.clock.pass(1500);
    expect(world.batches.map((batch) => batch.length)).toEqual([13]);
  });

  it('is one of several at a time, up to the maximum', async () => {
    let [now, most] = [0, 0];
    const world = setup(
      async () => {
        most = Math.max(most, ++now);
        await world.clock.sleep(1000);
        now -= 1;
      },
      { spec: { batchSize: 1, maximumConcurrency: 3 } },
    );
    world.send(...Array.from({ length: 12 }, (_, index) => `m${index}`));
    world.mapping.start();
    await world.idle();
    expect({ most, left: world.left() }).toEqual({ most: 3, left: 0 });
  });

  it('never holds what the filters drop', async () => {
    const world = setup(() => {}, { spec: { filters: ['{"body":{"keep":[true]}}'] } });
    world.send('{"keep":true}', '{"keep":false}', 'text');
    world.mapping.start();
    await world.idle();
    expect({ batches: world.batches, left: world.left() }).toEqual({
      batches: [['{"keep":true}']],
      left: 0,
    });
  });
});

describe('a mapping of a queue', () => {
  it('gives back what it holds when it stops', async () => {
    const world = setup(() => {}, { spec: { batchSize: 100, windowSeconds: 60 } });
    world.send('a', 'b');
    world.mapping.start();
    await world.clock.settle();
    await world.clock.run(world.mapping.stop());
    const counts = world.queues.attributes('work');
    expect({ batches: world.batches, visible: counts['ApproximateNumberOfMessages'] }).toEqual({
      batches: [],
      visible: '2',
    });
  });

  it.each(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'kms:Decrypt'])(
    'whose role lacks %s does not start, and says so',
    async (lacks) => {
      const world = setup(() => {}, {
        deps: {
          keyArn: 'arn:aws:kms:eu-central-1:000000000000:key/1',
          authorize: (_caller, { action }) => ({
            allowed: action !== lacks,
            explanation: 'nothing allows it',
          }),
        },
      });
      world.send('a');
      world.mapping.start();
      await world.idle();
      expect(world.mapping.state()).toMatchObject({
        status: 'failed',
        problem: expect.stringContaining(`may not ${lacks}`),
      });
      expect(world.left()).toBe(1);
    },
  );

  it('of a queue whose messages come back too early does not start', () => {
    const world = setup(() => {}, { spec: { functionTimeoutSeconds: 60 } });
    world.mapping.start();
    expect(world.mapping.state()).toMatchObject({
      status: 'failed',
      problem: expect.stringContaining(
        "visibility timeout of 30 seconds is less than the function's timeout of 60 seconds",
      ),
    });
  });
});
