import { describe, expect, it } from '@jest/globals';
import { ingest } from '../../functions/ingest/ingest.ts';
import { record } from '../../functions/record/record.ts';
import { seeded } from '../../local/fleet/random.ts';
import { deadLetterQueue } from '../../shared/adapters/dead-letter-queue.ts';
import { deviceTable } from '../../shared/adapters/readings/device-table.ts';
import { fleetDirectory } from '../../shared/adapters/readings/fleet-directory.ts';
import { readingTable } from '../../shared/adapters/readings/reading-table.ts';
import { readingsStream } from '../../shared/adapters/readings/readings-stream.ts';
import { DeadLetter } from '../../shared/core/dead-letter.ts';
import type { Envelope } from '../../shared/core/envelope.ts';
import { Counters } from '../../shared/core/security/signal.ts';
import { uncounted } from '../../shared/core/security/tally.ts';
import { drain } from '../support/event-source.ts';
import { fakeAws } from '../support/fake-aws.ts';
import { envelope, RECEIVED_AT_MS } from '../support/uplinks.ts';

const MESSAGES = 150;
const DEVICES = 12;
const SEEDS = Array.from({ length: 40 }, (_, at) => at + 1);

/** What the devices sent: uplinks as the rule wrote them, and what must become of it. */
function sendMessages(random: () => number) {
  const uplinks: Envelope[] = [];
  /** The number each sample carries, once for all resends that must count as one. */
  const readings = new Set<number>();
  const poison = new Set<string>();
  const below = (limit: number) => Math.floor(random() * limit);
  for (let at = 0; at < MESSAGES; at += 1) {
    const receivedAtMs = RECEIVED_AT_MS + at * 100;
    const thing = `probe-${below(DEVICES)}`;
    const number = at * 10;
    const payloads: readonly unknown[] = [
      { n: number },
      { n: number, mid: at },
      { n: number, ts: receivedAtMs - below(100_000) },
      { n: number, ts: receivedAtMs + 60_000 },
      { n: number, seq: at },
      [0, 1, 2].map((one) => ({ n: number + one, ts: receivedAtMs - one })),
      'not json',
    ];
    const kind = below(payloads.length);
    const send = (payload: unknown, messageId: string, delayMs: number) =>
      uplinks.push(
        envelope(typeof payload === 'string' ? payload : JSON.stringify(payload), {
          topic: `dt/acme/${thing}/telemetry`,
          receivedAtMs: receivedAtMs + delayMs,
          messageId,
        }),
      );
    const payload = payloads[kind];
    send(payload, `m-${at}`, 0);
    // a device that missed its PUBACK sends again; without anything of its own to tell it by, that is another reading
    const resends = kind > 0 && kind < 6 && below(3) === 0 ? 1 : 0;
    if (resends > 0) send(payload, `m-${at}-again`, 30_000);
    if (kind === 6) poison.add(`m-${at}`);
    else for (let one = 0; one < (kind === 5 ? 3 : 1); one += 1) readings.add(number + one);
  }
  return { uplinks, readings, poison };
}

async function run(seed: number, faults: number) {
  const random = seeded(seed);
  const chance = { faults };
  const aws = fakeAws(random, chance);
  const sent = sendMessages(random);
  aws.stream('uplinks').push(
    ...sent.uplinks.map((uplink) => ({
      partitionKey: uplink.topic.split('/')[2] ?? '',
      data: Buffer.from(JSON.stringify(uplink)),
    })),
  );

  const tools = { sleep: async () => {}, random };
  const start = () => {
    const deadLetters = deadLetterQueue(aws.sqs, 'dead-letters', tools);
    const devices = deviceTable(aws.dynamo, 'devices', tools);
    const common = { deadLetters, log: () => {}, now: () => RECEIVED_AT_MS };
    return {
      ingest: ingest({
        ...common,
        fleets: fleetDirectory(devices, common.now),
        readings: readingsStream(aws.kinesis, 'readings', tools),
        signals: readingsStream(aws.kinesis, 'signals', tools),
      }),
      record: record({
        ...common,
        devices,
        history: readingTable(aws.dynamo, 'readings', 30, tools),
      }),
    };
  };
  let container = start();
  const alive = () => {
    if (random() < 0.2) container = start();
    return container;
  };

  let [ingested, recorded] = [0, 0];
  for (let round = 0; round < 3; round += 1) {
    // what happens while nothing fails any more is that all of it gets through
    if (round === 2) chance.faults = 0;
    ingested = await drain(
      'uplinks',
      aws.stream('uplinks'),
      ingested,
      () => alive().ingest,
      random,
    );
    recorded = await drain(
      'readings',
      aws.stream('readings'),
      recorded,
      () => alive().record,
      random,
    );
  }
  return { aws, sent };
}

describe('the way of a message through faults', () => {
  it.each(SEEDS)('loses nothing and doubles nothing with seed %d', async (seed) => {
    const { aws, sent } = await run(seed, 0.06);
    const rows = [...aws.table('readings').values()].filter(({ metrics }) => metrics !== undefined);
    const numbers = rows.map(({ metrics }) => Number(metrics?.M?.['n']?.N));
    expect(numbers.length).toBe(new Set(numbers).size);
    expect(new Set(numbers)).toEqual(sent.readings);

    const letters = aws.messages.map((body) => DeadLetter.parse(JSON.parse(body)));
    const buried = letters.map(({ data }) => {
      const { messageId } = JSON.parse(Buffer.from(data, 'base64').toString()) as Envelope;
      return messageId;
    });
    expect(new Set(buried)).toEqual(sent.poison);
    expect(aws.counts.faults).toBeGreaterThan(20);
  });

  it.each(SEEDS)('counts each message of a device once with seed %d', async (seed) => {
    const { aws, sent } = await run(seed, 0.06);
    const counted = new Map<string, number>();
    const upTo = new Map<string, string>();
    for (const { data } of aws.stream('signals')) {
      const counters = Counters.parse(JSON.parse(Buffer.from(data).toString()));
      const { thing, to } = counters;
      const fresh = uncounted(counters, upTo.get(thing) ?? '');
      if (fresh === undefined) continue;
      upTo.set(thing, to);
      counted.set(thing, (counted.get(thing) ?? 0) + fresh.messages);
    }
    const expected = new Map<string, number>();
    for (const { topic } of sent.uplinks) {
      const thing = topic.split('/')[2] ?? '';
      expected.set(thing, (expected.get(thing) ?? 0) + 1);
    }
    expect(counted).toEqual(expected);
  });

  it('leaves the newest reading of each device as its latest, and every device in the directory', async () => {
    const { aws } = await run(77, 0.06);
    const newest = new Map<string, string>();
    for (const { thing, kind, observedAtMs, id } of aws.table('readings').values()) {
      if (kind === undefined) continue;
      const rank = `${String(observedAtMs?.N).padStart(15, '0')}#${id?.S}`;
      const key = `thing#${thing?.S}\nlatest#${kind.S}`;
      if ((newest.get(key) ?? '') < rank) newest.set(key, rank);
    }
    const devices = aws.table('devices');
    for (const [key, rank] of newest) {
      const { observedAtMs, id } = devices.get(key) ?? {};
      expect(`${String(observedAtMs?.N).padStart(15, '0')}#${id?.S}`).toBe(rank);
    }
    const things = new Set([...newest.keys()].map((key) => /^thing#(.*)\n/.exec(key)?.[1]));
    const ofKind = (pattern: RegExp) =>
      new Set([...devices].filter(([key]) => pattern.test(key)).map(([, { thing }]) => thing?.S));
    expect(ofKind(/\nprofile$/)).toEqual(things);
    expect(ofKind(/^fleet#acme#/)).toEqual(things);
  });

  it('runs the same way for the same seed', async () => {
    const [one, other] = [await run(5, 0.06), await run(5, 0.06)];
    expect(other.aws.counts).toEqual(one.aws.counts);
    expect([...other.aws.table('readings')]).toEqual([...one.aws.table('readings')]);
  });
});
