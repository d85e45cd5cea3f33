import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeReading, normalise } from '../../functions/ingest/normalise.ts';
import { parseReading, Reading } from '../../shared/core/reading.ts';
import { parseTopic } from '../../shared/core/topic.ts';
import { envelope, RECEIVED_AT_MS } from '../support/uplinks.ts';

const read = (message: ReturnType<typeof envelope>) =>
  normalise(message, parseTopic(message.topic));

describe('a message', () => {
  it('becomes a reading under the identity of its topic', () => {
    const payload = { ts: RECEIVED_AT_MS - 9, temperature: { value: 21, unit: 'Cel' }, thing: 'x' };
    expect(read(envelope(payload, { clientId: 'n/a' }))).toEqual([
      {
        v: 1,
        id: expect.stringMatching(/^[\w-]{22}$/),
        thing: 'probe-1',
        fleet: 'acme',
        kind: 'telemetry',
        transport: 'https',
        principal: envelope('').principal,
        sourceIp: '203.0.113.7',
        observedAtMs: RECEIVED_AT_MS - 9,
        receivedAtMs: RECEIVED_AT_MS,
        metrics: { temperature: 21, thing: 'x' },
        units: { temperature: 'Cel' },
        raw: { messageId: envelope('').messageId, index: 0 },
        traceId: envelope('').traceId,
      },
    ]);
  });

  it('is rejected whole when one sample of it is', () => {
    const samples = [
      { ts: RECEIVED_AT_MS, a: 1 },
      { ts: RECEIVED_AT_MS - 400 * 86_400_000, a: 1 },
    ];
    expect(() => read(envelope(samples))).toThrow('CLOCK_OUT_OF_RANGE: [1].ts: 2025-08-');
  });

  it('becomes readings that the schema takes and JSON brings through, whatever it holds', () => {
    const scalar = fc.oneof(
      { weight: 9, arbitrary: fc.string({ unit: 'grapheme' }) },
      { weight: 9, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
      { weight: 9, arbitrary: fc.constantFrom(null, true, false) },
      { weight: 1, arbitrary: fc.double() },
    );
    const leaf = fc.oneof(
      scalar,
      fc.record({ value: scalar, unit: fc.string({ minLength: 1, maxLength: 9 }) }),
    );
    const { tree } = fc.letrec<{ tree: unknown; node: unknown }>((tie) => ({
      tree: fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), tie('node'), { minKeys: 1 }),
      node: fc.oneof({ maxDepth: 3 }, leaf, tie('tree')),
    }));
    let taken = 0;
    fc.assert(
      fc.property(tree, (payload) => {
        for (const reading of readingsIfAny(envelope(JSON.stringify(payload)))) {
          taken += 1;
          expect(Reading.parse(reading)).toEqual(reading);
          expect(parseReading(Buffer.from(encodeReading(reading)).toString())).toEqual(reading);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

function readingsIfAny(message: ReturnType<typeof envelope>): readonly Reading[] {
  try {
    return read(message);
  } catch {
    return [];
  }
}
