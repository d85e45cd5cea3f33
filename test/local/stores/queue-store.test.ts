import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  createQueueStore,
  type QueueStore,
  queueAttributesOf,
} from '../../../local/stores/queue-store.ts';
import { manualClock } from './manual-clock.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'queues-'));
  folders.push(folder);
  return folder;
};

const specOf = (name: string, attributes: Record<string, string> = {}) => ({
  name,
  arn: `arn:aws:sqs:eu-central-1:000000000000:${name}`,
  url: `http://127.0.0.1:1/000000000000/${name}`,
  attributes,
});

function setup(attributes: Record<string, string> = {}, directory?: string) {
  const clock = manualClock();
  let ids = 0;
  const start = (): QueueStore =>
    createQueueStore({
      now: clock.now,
      timer: clock.timer,
      uuid: () => `id-${++ids}`,
      ...(directory !== undefined && { directory }),
    });
  const store = start();
  store.create(specOf('work', attributes));
  const bodies = async (queue = 'work', max = 10) =>
    (await store.receive(queue, { max })).map(({ body }) => body);
  return { clock, store, start, bodies };
}

describe('a queue', () => {
  it('hands out what was sent, in order, and forgets what is deleted', async () => {
    const { store, bodies, clock } = setup();
    for (const body of ['a', 'b', 'c']) store.send('work', { body });
    const [first] = await store.receive('work', { max: 1 });
    expect(first?.body).toBe('a');
    store.delete('work', first?.receiptHandle ?? '');
    clock.advance(60_000);
    expect(await bodies()).toEqual(['b', 'c']);
  });

  it('hides a message for its visibility timeout, then hands it out again', async () => {
    const { store, bodies, clock } = setup({ VisibilityTimeout: '60' });
    store.send('work', { body: 'once' });
    expect(await bodies()).toEqual(['once']);
    clock.advance(59_999);
    expect(await bodies()).toEqual([]);
    clock.advance(1);
    const [again] = await store.receive('work', { max: 1 });
    expect(again?.systemAttributes).toMatchObject({
      ApproximateReceiveCount: '2',
      SentTimestamp: '1700000000000',
      ApproximateFirstReceiveTimestamp: '1700000000000',
      SenderId: '000000000000',
    });
  });

  it('keeps a message from one call twice, though its timeout is 0', async () => {
    const { store } = setup();
    store.send('work', { body: 'a' });
    store.send('work', { body: 'b' });
    const receive = () => store.receive('work', { max: 10, visibilityTimeout: 0 });
    expect((await receive()).map(({ body }) => body)).toEqual(['a', 'b']);
    expect((await receive()).map(({ body }) => body)).toEqual(['a', 'b']);
  });

  it('ignores the handle of an earlier receipt', async () => {
    const { store, clock } = setup({ VisibilityTimeout: '1' });
    store.send('work', { body: 'kept' });
    const [early] = await store.receive('work', { max: 1 });
    clock.advance(1000);
    await store.receive('work', { max: 1 });
    store.delete('work', early?.receiptHandle ?? '');
    expect(store.attributes('work')).toMatchObject({ ApproximateNumberOfMessagesNotVisible: '1' });
  });

  it('delays a message by its own or by the queue’s delay', async () => {
    const { store, bodies, clock } = setup({ DelaySeconds: '5' });
    store.send('work', { body: 'late' });
    store.send('work', { body: 'now', delaySeconds: 0 });
    expect(store.attributes('work')).toMatchObject({
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesDelayed: '1',
    });
    expect(await bodies()).toEqual(['now']);
    clock.advance(5000);
    expect(await bodies()).toEqual(['late']);
  });

  it('drops what is older than its retention', async () => {
    const { store, bodies, clock } = setup({ MessageRetentionPeriod: '60' });
    store.send('work', { body: 'old' });
    clock.advance(60_000);
    store.send('work', { body: 'new' });
    expect(store.attributes('work')).toMatchObject({ ApproximateNumberOfMessages: '1' });
    expect(await bodies()).toEqual(['new']);
  });

  it('makes a message visible at once when its timeout is set to 0', async () => {
    const { store, bodies } = setup();
    store.send('work', { body: 'again' });
    const [held] = await store.receive('work', { max: 1 });
    store.changeVisibility('work', held?.receiptHandle ?? '', 0);
    expect(await bodies()).toEqual(['again']);
  });

  it('is emptied by a purge, but only once a minute', async () => {
    const { store, bodies, clock } = setup();
    store.send('work', { body: 'gone' });
    store.purge('work');
    expect(await bodies()).toEqual([]);
    expect(() => store.purge('work')).toThrow(/every 60 seconds/);
    clock.advance(60_000);
    store.purge('work');
  });

  it('tells listeners which queue got a message until they stop listening', () => {
    const { store } = setup();
    const heard: string[] = [];
    const stop = store.onSend((queue) => heard.push(queue));
    store.send('work', { body: 'one' });
    stop();
    store.send('work', { body: 'two' });
    expect(heard).toEqual(['work']);
  });
});

describe('waiting for messages', () => {
  it('ends with the next message sent', async () => {
    const { store, clock } = setup();
    const received = store.receive('work', { max: 10, waitSeconds: 20 });
    clock.advance(3000);
    store.send('work', { body: 'news' });
    expect((await received).map(({ body }) => body)).toEqual(['news']);
    expect(clock.pending()).toBe(0);
  });

  it('ends with a message whose delay or visibility timeout runs out meanwhile', async () => {
    const { store, clock } = setup({ VisibilityTimeout: '4' });
    store.send('work', { body: 'back' });
    await store.receive('work', { max: 1 });
    const received = store.receive('work', { max: 1, waitSeconds: 20 });
    clock.advance(4000);
    expect(await received).toHaveLength(1);
  });

  it('ends with nothing when its time is over', async () => {
    const { store, clock } = setup({ ReceiveMessageWaitTimeSeconds: '7' });
    const received = store.receive('work', { max: 1 });
    clock.advance(7000);
    expect(await received).toEqual([]);
  });

  it('gives one message to one of those who wait', async () => {
    const { store, clock } = setup();
    const waits = [1, 2].map(() => store.receive('work', { max: 1, waitSeconds: 5 }));
    store.send('work', { body: 'only' });
    clock.advance(5000);
    expect((await Promise.all(waits)).map(({ length }) => length)).toEqual([1, 0]);
  });

  it('ends when the store closes', async () => {
    const { store, clock } = setup();
    const received = store.receive('work', { max: 1, waitSeconds: 20 });
    await store.close();
    expect(await received).toEqual([]);
    expect(clock.pending()).toBe(0);
  });
});

describe('a redrive policy', () => {
  const redrive = (maxReceiveCount: number) => ({
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: specOf('dead').arn, maxReceiveCount }),
    VisibilityTimeout: '0',
  });

  it('moves a message received too often, with its id and where it came from', async () => {
    const { store, bodies } = setup(redrive(2));
    store.create(specOf('dead'));
    const { messageId } = store.send('work', { body: 'poison' });
    expect(await bodies()).toEqual(['poison']);
    expect(await bodies()).toEqual(['poison']);
    expect(await bodies()).toEqual([]);
    const [dead] = await store.receive('dead', { max: 1 });
    expect(dead).toMatchObject({ messageId, body: 'poison' });
    expect(dead?.systemAttributes['DeadLetterQueueSourceArn']).toBe(specOf('work').arn);
  });

  it('is refused where the dead-letter queue does not allow this source', () => {
    const { store } = setup();
    store.create(specOf('dead', { RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' }));
    expect(() => store.setAttributes('work', redrive(1))).toThrow(/RedriveAllowPolicy/);
  });
});

describe('what is refused', () => {
  it.each([
    { name: 'a.fifo', attributes: {}, error: /FIFO/ },
    { name: 'a', attributes: { FifoQueue: 'true' }, error: /FIFO/ },
    { name: 'a', attributes: { Policy: '{}' }, error: /queue policies/ },
    { name: 'a', attributes: { Nonsense: '1' }, error: /Unknown Attribute Nonsense/ },
    {
      name: 'a',
      attributes: { VisibilityTimeout: '43201' },
      error: /VisibilityTimeout.*0 to 43200/,
    },
    { name: 'a', attributes: { RedrivePolicy: '{"maxReceiveCount":0}' }, error: /RedrivePolicy/ },
    { name: 'a b', attributes: {}, error: /no queue name/ },
  ])('a queue $name with $attributes', ({ name, attributes, error }) => {
    const { store } = setup();
    expect(() => store.create({ ...specOf(name), attributes: { ...attributes } })).toThrow(error);
  });

  it.each([
    { what: 'an empty body', message: { body: '' }, error: /MessageBody/ },
    { what: 'a control character', message: { body: 'a\u0000b' }, error: /characters outside/ },
    { what: 'a lone surrogate', message: { body: '\ud800' }, error: /characters outside/ },
    {
      what: 'a body too long',
      message: { body: 'é'.repeat(513) },
      error: /shorter than 1024 bytes/,
    },
    {
      what: 'attributes that make it too long',
      message: {
        body: 'x',
        attributes: { a: { DataType: 'String', StringValue: 'y'.repeat(1024) } },
      },
      error: /shorter than 1024 bytes/,
    },
    {
      what: 'an attribute without value',
      message: { body: 'x', attributes: { a: { DataType: 'Binary', StringValue: 'y' } } },
      error: /no value of its type/,
    },
    { what: 'too long a delay', message: { body: 'x', delaySeconds: 901 }, error: /DelaySeconds/ },
  ])('$what', ({ message, error }) => {
    const { store } = setup({ MaximumMessageSize: '1024' });
    expect(() => store.send('work', message)).toThrow(error);
  });

  it('a queue nobody made', () => {
    const { store } = setup();
    expect(() => store.send('nobody', { body: 'x' })).toThrow(/does not exist: nobody/);
  });

  it('handles that are none, or of messages no longer there', async () => {
    const { store } = setup();
    store.send('work', { body: 'x' });
    const [held] = await store.receive('work', { max: 1 });
    const handle = held?.receiptHandle ?? '';
    expect(() => store.delete('work', 'nonsense')).toThrow(/not one of queue work/);
    store.delete('work', handle);
    store.delete('work', handle);
    expect(() => store.changeVisibility('work', handle, 5)).toThrow(/does not exist/);
  });
});

describe('with a directory', () => {
  it('a queue outlives the process: messages, receipts, timeouts', async () => {
    const { store, start, clock } = setup({ VisibilityTimeout: '30' }, newFolder());
    store.send('work', {
      body: 'kept',
      attributes: { a: { DataType: 'String', StringValue: 'b' } },
    });
    store.send('work', { body: 'deleted' });
    const received = await store.receive('work', { max: 10 });
    store.delete('work', received[1]?.receiptHandle ?? '');
    await store.close();

    const again = start();
    expect(await again.receive('work', { max: 10 })).toEqual([]);
    clock.advance(30_000);
    expect(await again.receive('work', { max: 10 })).toMatchObject([
      { body: 'kept', attributes: { a: { StringValue: 'b' } }, messageId: 'id-1' },
    ]);
    await again.close();
  });

  it('a last line cut short by a crash is dropped, whatever is before it stays', async () => {
    const folder = newFolder();
    const { store, start } = setup({}, folder);
    store.send('work', { body: 'whole' });
    await store.close();
    appendFileSync(join(folder, 'work.queue.jsonl'), '{"type":"sent","message":{"id":"to');

    const again = start();
    again.send('work', { body: 'after' });
    await again.close();
    const third = start();
    expect((await third.receive('work', { max: 10 })).map(({ body }) => body)).toEqual([
      'whole',
      'after',
    ]);
    await third.close();
  });

  it('a line damaged in the middle is said with file and line', async () => {
    const folder = newFolder();
    const { store, start } = setup({}, folder);
    await store.close();
    appendFileSync(join(folder, 'work.queue.jsonl'), 'rust\n');
    expect(start).toThrow(/work\.queue\.jsonl, line 2/);
  });

  it('the log does not grow with messages that are long gone', async () => {
    const folder = newFolder();
    const { store } = setup({}, folder);
    const file = join(folder, 'work.queue.jsonl');
    for (let round = 0; round < 3000; round++) {
      store.send('work', { body: 'x' });
      const [held] = await store.receive('work', { max: 1 });
      store.delete('work', held?.receiptHandle ?? '');
    }
    await store.close();
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(1100);
    expect(statSync(file).mode & 0o077).toBe(0);
  });
});

describe('attributes of a template’s queue', () => {
  it('are its properties as text', () => {
    const properties = {
      QueueName: 'q',
      Tags: [],
      FifoQueue: false,
      MessageRetentionPeriod: 1_209_600,
      RedrivePolicy: { deadLetterTargetArn: 'arn:x', maxReceiveCount: 5 },
    };
    expect(queueAttributesOf(properties)).toEqual({
      MessageRetentionPeriod: '1209600',
      RedrivePolicy: '{"deadLetterTargetArn":"arn:x","maxReceiveCount":5}',
    });
  });
});

describe('whatever senders, consumers and the clock do', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('send' as const), delay: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ do: fc.constant('receive' as const), max: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constant('delete' as const) }),
    fc.record({ do: fc.constant('extend' as const), seconds: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 6000 }) }),
    fc.record({ do: fc.constant('restart' as const) }),
  );

  it('no message is lost, and none is with two consumers at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { store: first, start, clock } = setup({ VisibilityTimeout: '5' }, newFolder());
        let store = first;
        const alive = new Set<string>();
        const heldUntilMs = new Map<string, number>();
        let lastHandle: { id: string; handle: string } | undefined;

        const receive = async (max: number) => {
          for (const { messageId, receiptHandle } of await store.receive('work', { max })) {
            expect(alive.has(messageId)).toBe(true);
            expect(heldUntilMs.get(messageId) ?? 0).toBeLessThanOrEqual(clock.now());
            heldUntilMs.set(messageId, clock.now() + 5000);
            lastHandle = { id: messageId, handle: receiptHandle };
          }
        };

        for (const now of steps) {
          if (now.do === 'send') {
            const { messageId } = store.send('work', { body: 'x', delaySeconds: now.delay });
            alive.add(messageId);
            heldUntilMs.set(messageId, clock.now() + now.delay * 1000);
          } else if (now.do === 'receive') {
            await receive(now.max);
          } else if (now.do === 'delete' && lastHandle !== undefined) {
            store.delete('work', lastHandle.handle);
            alive.delete(lastHandle.id);
          } else if (now.do === 'extend' && lastHandle !== undefined && alive.has(lastHandle.id)) {
            if ((heldUntilMs.get(lastHandle.id) ?? 0) <= clock.now()) continue;
            store.changeVisibility('work', lastHandle.handle, now.seconds);
            heldUntilMs.set(lastHandle.id, clock.now() + now.seconds * 1000);
          } else if (now.do === 'pass') {
            clock.advance(now.ms);
          } else if (now.do === 'restart') {
            await store.close();
            store = start();
          }
        }
        clock.advance(10_000);
        const left = new Set<string>();
        for (let round = 0; round <= alive.size; round++) {
          for (const { messageId } of await store.receive('work', { max: 10 })) left.add(messageId);
        }
        await store.close();
        expect(left).toEqual(alive);
      }),
      { numRuns: 150 },
    );
  });
});
