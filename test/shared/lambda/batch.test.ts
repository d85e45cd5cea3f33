import { describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '../../../shared/core/dead-letter.ts';
import { reject } from '../../../shared/core/errors.ts';
import { Batch } from '../../../shared/lambda/batch.ts';
import { streamEvent } from '../../support/stream-events.ts';

interface Job {
  readonly key: string;
  readonly does?: 'reject' | 'throw' | 'skip';
}

/** A world with records `1`, `2`, … of the devices named; `undelivered` dead letters cannot be written. */
function setup(
  jobs: readonly Job[],
  { undelivered = [] as readonly string[], remainingMs = 60_000 } = {},
) {
  const letters: DeadLetter[] = [];
  const logged: unknown[] = [];
  const deadLetters = {
    async send(sent: readonly DeadLetter[]) {
      const failed = sent.filter(({ sequenceNumber }) => undelivered.includes(sequenceNumber));
      letters.push(...sent.filter((letter) => !failed.includes(letter)));
      return failed.map((item) => ({ item, reason: 'throttled' }));
    },
  };
  const event = streamEvent(
    'uplinks',
    jobs.map((job) => ({ partitionKey: job.key, data: job })),
  );
  const batch = new Batch(
    'ingest',
    event,
    { getRemainingTimeInMillis: () => remainingMs },
    {
      deadLetters,
      log: (level, message, fields) => logged.push({ level, message, ...fields }),
      now: () => 77,
    },
  );
  const read = () =>
    batch.each(batch.records, ({ data }) => {
      const job: Job = JSON.parse(Buffer.from(data, 'base64').toString());
      if (job.does === 'throw') throw new TypeError('ours');
      if (job.does === 'reject') reject('MALFORMED_PAYLOAD', 'a', 'is bad');
      return job.does === 'skip' ? [] : [job];
    });
  const finish = async () =>
    (await batch.finish()).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  return { batch, read, finish, letters, logged };
}

const numbers = (held: readonly { readonly record: { readonly sequenceNumber: string } }[]) =>
  held.map(({ record }) => record.sequenceNumber);

describe('a batch', () => {
  it('succeeds with an empty list of failures', async () => {
    const { read, finish } = setup([{ key: 'a' }, { key: 'b', does: 'skip' }]);
    expect(numbers(read())).toEqual(['1']);
    await expect(finish()).resolves.toEqual([]);
  });

  it('sends a rejected record to the dead letters, whole, and counts it as done', async () => {
    const { read, finish, letters, logged } = setup([{ key: 'a', does: 'reject' }, { key: 'a' }]);
    expect(numbers(read())).toEqual(['2']);
    await expect(finish()).resolves.toEqual([]);
    expect(letters).toEqual([
      {
        v: 1,
        function: 'ingest',
        code: 'MALFORMED_PAYLOAD',
        issues: ['a: is bad'],
        stream: 'uplinks',
        partitionKey: 'a',
        data: Buffer.from('{"key":"a","does":"reject"}').toString('base64'),
        sequenceNumber: '1',
        failedAtMs: 77,
      },
    ]);
    expect(logged).toContainEqual({
      level: 'warn',
      message: 'record rejected',
      code: 'MALFORMED_PAYLOAD',
      issues: ['a: is bad'],
      sequenceNumber: '1',
    });
  });

  it('fails a rejected record whose dead letter cannot be written', async () => {
    const jobs: Job[] = [
      { key: 'a', does: 'reject' },
      { key: 'b', does: 'reject' },
    ];
    const { read, finish, letters } = setup(jobs, { undelivered: ['1'] });
    read();
    await expect(finish()).resolves.toEqual(['1']);
    expect(letters.map(({ sequenceNumber }) => sequenceNumber)).toEqual(['2']);
  });

  it('stops a device at its failed record and lets the others go on', async () => {
    const jobs: Job[] = ['a', 'a', 'b', 'a', 'b'].map((key) => ({ key }));
    const { batch, read, finish } = setup(jobs);
    const held = read();
    const [, second] = held;
    if (second === undefined) throw new Error('no second record');
    const rest = batch.without(held, [{ item: second.value, reason: 'throttled' }]);
    expect(numbers(rest)).toEqual(['1', '3', '5']);
    expect(numbers(batch.each(rest, (job) => [job]))).toEqual(['1', '3', '5']);
    await expect(finish()).resolves.toEqual(['2', '4']);
  });

  it('fails a record on an error of ours, says so, and goes on with the others', async () => {
    const { read, finish, logged } = setup([
      { key: 'a', does: 'throw' },
      { key: 'a' },
      { key: 'b' },
    ]);
    expect(numbers(read())).toEqual(['3']);
    await expect(finish()).resolves.toEqual(['1', '2']);
    expect(logged).toContainEqual({
      level: 'error',
      message: 'a step failed',
      sequenceNumber: '1',
      error: new TypeError('ours'),
    });
    expect(logged).toContainEqual({
      level: 'error',
      message: 'records failed and will be replayed',
      failed: 2,
      reasons: { TypeError: 1, 'behind a failed record of its device': 1 },
    });
  });

  it('keeps time back for the dead letters', () => {
    expect(setup([], { remainingMs: 5_000 }).batch.timeLeft()).toBe(4_000);
  });

  it.each([{}, { Records: [{}] }, null, 'event'])('refuses %j as an event', (event) => {
    const { batch } = setup([]);
    const deps = { deadLetters: { send: async () => [] }, log: () => {}, now: () => 0 };
    const invocation = { getRemainingTimeInMillis: batch.timeLeft };
    expect(() => new Batch('ingest', event, invocation, deps)).toThrow(
      /^not an event of a Kinesis/,
    );
  });
});
