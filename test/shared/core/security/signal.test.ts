import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Counters, parseSignal } from '../../../../shared/core/security/signal.ts';

const counters: Counters = {
  v: 1,
  source: 'counters',
  function: 'decode',
  thing: 'probe-1',
  fleet: 'acme',
  from: '1'.repeat(56),
  to: '2'.repeat(56),
  atMs: 1_790_000_000_000,
  messages: 2,
  bytes: 20,
  malformed: 0,
  largestBytes: 12,
  marks: '1:8:0,2:12:0',
  radio: { joins: 1, gaps: 0 },
};

/** Values that are near to what a field may be, on either side. */
const odd = fc.constantFrom(
  ...[0, 1, -1, 1.5, 2 ** 53, 1e300, null, '', 'a b', 'probe-2', '7', 'ingest', 'x'.repeat(65)],
  ...[[], {}, { joins: 1 }, { joins: -1 }, { joins: null }, { other: 'x' }, true, '9'.repeat(129)],
);
const FIELDS = [...Object.keys(counters), 'unknown'];

it('counters are taken or refused as their schema says, whichever way they are looked at', () => {
  fc.assert(
    fc.property(fc.constantFrom(...FIELDS), odd, fc.boolean(), (field, value, leftOut) => {
      const record: Record<string, unknown> = { ...counters, [field]: value };
      if (leftOut) delete record[field];
      const bySchema = Counters.safeParse(record);
      const parse = () => parseSignal(JSON.stringify(record));
      if (bySchema.success) expect(parse()).toMatchObject({ ...bySchema.data });
      else expect(parse).toThrow();
    }),
    { numRuns: 2_000 },
  );
});

it('what is wrong with counters is said by field', () => {
  const record = { ...counters, messages: -1, from: 'x' };
  expect(() => parseSignal(JSON.stringify(record))).toThrow(/from: .*messages: /);
});
