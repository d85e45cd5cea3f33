import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EXAMPLE_READING, parseReading, Reading } from '../../../shared/core/reading.ts';
import { reading } from '../../support/uplinks.ts';

const text = (changes: object) => JSON.stringify({ ...EXAMPLE_READING, ...changes });

describe('a reading', () => {
  it('is read back as it was written', () => {
    expect(parseReading(JSON.stringify(EXAMPLE_READING))).toEqual(EXAMPLE_READING);
  });

  it('drops what a later version may have added', () => {
    expect(parseReading(text({ mood: 'good' }))).toEqual(EXAMPLE_READING);
  });

  it.each([
    ['not JSON', '{', 'MALFORMED_RECORD: (root): is not JSON'],
    ['a list', '[]', 'MALFORMED_RECORD: (root): is not a JSON object'],
    ['null', 'null', 'MALFORMED_RECORD: (root): is not a JSON object'],
    ['another version', text({ v: 2 }), 'UNSUPPORTED_VERSION: v: wants 1'],
    ['no version', '{}', 'UNSUPPORTED_VERSION: v: wants 1'],
    ['a short id', text({ id: 'abc' }), 'MALFORMED_READING: id: wants 22 characters of base64url'],
    ['a thing that is no name', text({ thing: 'a#b' }), 'MALFORMED_READING: thing: wants 1 to 64'],
    ['1e400', `{"v":1,"metrics":{"a":1e400}}`, 'metrics.a: wants an exact number'],
    ['an unsafe integer', text({ metrics: { a: 2 ** 53 } }), 'metrics.a: wants an exact number'],
    ['an object as a metric', text({ metrics: { a: {} } }), 'metrics.a: wants an exact number'],
    ['__proto__', `{"v":1,"metrics":{"__proto__":1}}`, 'metrics.__proto__: is not a metric name'],
    ['a unit that is none', text({ units: { a: 1 } }), 'units.a: wants a text of 1 to 32'],
    ['a negative time', text({ observedAtMs: -1 }), 'observedAtMs: Too small'],
    ['a time beyond 9999', text({ receivedAtMs: 253_402_300_800_000 }), 'receivedAtMs: Too big'],
  ])('that is %s is rejected under its path', (_what, record, message) => {
    expect(() => parseReading(record)).toThrow(message);
  });

  it('never holds a number that is not finite and exact', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double(), fc.constantFrom(Number.NaN, 2 ** 53, -(2 ** 60), 5e-324)),
        (a) => {
          const { success } = Reading.safeParse(reading({ metrics: { a } }));
          const exact = a === 0 || (Math.abs(a) >= 1e-130 && Math.abs(a) <= 2 ** 53 - 1);
          expect(success).toBe(exact);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
