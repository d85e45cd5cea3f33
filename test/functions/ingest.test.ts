import { describe, expect, it } from '@jest/globals';
import { encode } from 'cborg';
import { ingest } from '../../functions/ingest/ingest.ts';
import type { Outgoing } from '../../shared/adapters/readings/readings-stream.ts';
import type { DeadLetter } from '../../shared/core/dead-letter.ts';
import { parseReading } from '../../shared/core/reading.ts';
import { Counters } from '../../shared/core/security/signal.ts';
import { streamEvent } from '../support/stream-events.ts';
import { bytesOf, envelope, RECEIVED_AT_MS } from '../support/uplinks.ts';

interface World {
  /** Fleets of known things. */
  readonly known?: Readonly<Record<string, string>>;
  /** Things that the directory cannot be asked for. */
  readonly unasked?: readonly string[];
  /** Things whose readings the stream refuses. */
  readonly refused?: readonly string[];
  /** Things whose counters the stream refuses. */
  readonly untold?: readonly string[];
}

function setup({ known = {}, unasked = [], refused = [], untold = [] }: World = {}) {
  const put: Outgoing[] = [];
  const told: Counters[] = [];
  const letters: DeadLetter[] = [];
  const handle = ingest({
    fleets: {
      fleetsOf: async (things) => ({
        known: new Map(Object.entries(known).filter(([thing]) => things.includes(thing))),
        failures: things
          .filter((thing) => unasked.includes(thing))
          .map((item) => ({ item, reason: 'throttled' })),
      }),
    },
    readings: {
      put: async (items) => {
        put.push(...items.filter(({ key }) => !refused.includes(key)));
        return items
          .filter(({ key }) => refused.includes(key))
          .map((item) => ({ item, reason: 'throttled' }));
      },
    },
    signals: {
      put: async (items) => {
        const taken = items.filter(({ key }) => !untold.includes(key));
        told.push(...taken.map(({ data }) => Counters.parse(JSON.parse(String(data)))));
        return items
          .filter(({ key }) => untold.includes(key))
          .map((item) => ({ item, reason: 'throttled' }));
      },
    },
    deadLetters: {
      send: async (sent) => {
        letters.push(...sent);
        return [];
      },
    },
    log: () => {},
    now: () => RECEIVED_AT_MS,
  });
  const run = async (...sent: Parameters<typeof streamEvent>[1]) => {
    const { batchItemFailures } = await handle(streamEvent('uplinks', sent), {
      getRemainingTimeInMillis: () => 60_000,
    });
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  const readings = () => put.map(({ data }) => parseReading(Buffer.from(data).toString()));
  return { run, put, readings, letters, told };
}

const from = (thing: string, payload: object | string | Uint8Array, fleet = 'acme') => ({
  partitionKey: thing,
  data: envelope(payload, { topic: `dt/${fleet}/${thing}/telemetry`, clientId: thing }),
});

describe('ingest', () => {
  it('puts readings under their thing, in order', async () => {
    const { run, put, readings } = setup({ known: { 'probe-1': 'acme' } });
    const samples = [
      { ts: RECEIVED_AT_MS - 2, n: 2 },
      { ts: RECEIVED_AT_MS - 1, n: 3 },
    ];
    await expect(
      run(from('probe-1', { n: 1 }), from('probe-1', samples), from('probe-2', { n: 4 })),
    ).resolves.toEqual([]);
    expect(put.map(({ key }) => key)).toEqual(['probe-1', 'probe-1', 'probe-1', 'probe-2']);
    expect(readings().map(({ metrics }) => metrics['n'])).toEqual([1, 2, 3, 4]);
  });

  it('skips records of LoRaWAN, and them only', async () => {
    const { run, put, letters } = setup();
    await expect(
      run({ data: { v: 1, source: 'lorawan' } }, { data: { v: 1, source: 'lora' } }),
    ).resolves.toEqual([]);
    expect(put).toEqual([]);
    expect(letters.map(({ code, sequenceNumber }) => [code, sequenceNumber])).toEqual([
      ['UNKNOWN_SOURCE', '2'],
    ]);
  });

  it.each([
    ['MALFORMED_RECORD', { data: 'not json' }],
    ['UNSUPPORTED_VERSION', { data: { ...envelope({ a: 1 }), v: 2 } }],
    ['MALFORMED_ENVELOPE', { data: { ...envelope({ a: 1 }), data: 'not base64!' } }],
    ['MALFORMED_TOPIC', { data: envelope({ a: 1 }, { topic: 'dt/acme/probe-1' }) }],
    ['UNKNOWN_KIND', { data: envelope({ a: 1 }, { topic: 'dt/acme/probe-1/gossip' }) }],
    ['MALFORMED_PAYLOAD', from('probe-1', 'not json')],
    ['MALFORMED_PAYLOAD', from('probe-1', Uint8Array.of(0xff))],
    ['PAYLOAD_TOO_LARGE', from('probe-1', ' '.repeat(131_073))],
    ['CLOCK_OUT_OF_RANGE', from('probe-1', { ts: RECEIVED_AT_MS - 365 * 86_400_000, a: 1 })],
  ])('dead-letters a record as %s with its bytes, and takes those around it', async (code, bad) => {
    const { run, readings, letters } = setup();
    await expect(run(from('probe-1', { n: 1 }), bad, from('probe-1', { n: 2 }))).resolves.toEqual(
      [],
    );
    expect(readings().map(({ metrics }) => metrics['n'])).toEqual([1, 2]);
    expect(letters).toMatchObject([
      {
        function: 'ingest',
        code,
        stream: 'uplinks',
        sequenceNumber: '2',
        issues: [expect.any(String)],
      },
    ]);
    expect(Buffer.from(letters[0]?.data ?? '', 'base64')).toEqual(Buffer.from(bytesOf(bad.data)));
  });

  it('dead-letters a device under a fleet that is not its own', async () => {
    const { run, readings, letters } = setup({ known: { 'probe-1': 'acme', 'probe-2': 'bolt' } });
    await run(from('probe-1', { a: 1 }, 'bolt'), from('probe-2', { a: 1 }, 'bolt'));
    expect(readings().map(({ thing }) => thing)).toEqual(['probe-2']);
    expect(letters).toMatchObject([
      { code: 'FLEET_MISMATCH', issues: ['topic: level 2 (fleet) is not the fleet of this thing'] },
    ]);
  });

  it('stops a device whose fleet cannot be asked for', async () => {
    const { run, readings } = setup({ unasked: ['probe-1'] });
    await expect(
      run(from('probe-1', { n: 1 }), from('probe-2', { n: 2 }), from('probe-1', { n: 3 })),
    ).resolves.toEqual(['1', '3']);
    expect(readings().map(({ metrics }) => metrics['n'])).toEqual([2]);
  });

  it('stops a device whose reading the stream refuses', async () => {
    const { run } = setup({ refused: ['probe-2'] });
    await expect(
      run(from('probe-1', { n: 1 }), from('probe-2', { n: 2 }), from('probe-3', { n: 3 })),
    ).resolves.toEqual(['2']);
  });

  it('dead-letters a reading that no table could hold', async () => {
    const { run, letters } = setup();
    const text = '\u0001'.repeat(1024);
    const wide = Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`m${at}`, text]));
    await expect(run(from('probe-1', encode(wide)))).resolves.toEqual([]);
    expect(letters).toMatchObject([{ sequenceNumber: '1', code: 'READING_TOO_LARGE' }]);
  });

  it('tells what it saw of each thing, read or not', async () => {
    const { run, told } = setup();
    await run(from('probe-1', { n: 1 }), from('probe-2', { n: 2 }), from('probe-1', 'not json'));
    expect(told).toMatchObject([
      { thing: 'probe-1', from: '1', to: '3', messages: 2, malformed: 1, largestBytes: 8 },
      { thing: 'probe-2', from: '2', to: '2', messages: 1, malformed: 0, bytes: 7 },
    ]);
  });

  it('tells nothing yet of what comes again', async () => {
    const { run, told } = setup({ refused: ['probe-2'] });
    const again = await run(
      from('probe-1', { n: 1 }),
      from('probe-2', { n: 2 }),
      from('probe-1', { n: 3 }),
    );
    expect(again).toEqual(['2']);
    expect(told).toMatchObject([{ thing: 'probe-1', to: '1', messages: 1 }]);
  });

  it('stops a thing that it cannot tell of', async () => {
    const { run } = setup({ untold: ['probe-2'] });
    await expect(
      run(from('probe-1', { n: 1 }), from('probe-2', { n: 2 }), from('probe-3', { n: 3 })),
    ).resolves.toEqual(['2']);
  });
});
