import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Envelope, parseEnvelope, payloadOf } from '../../../shared/core/envelope.ts';
import { envelope } from '../../support/uplinks.ts';

const text = (changes: object) => JSON.stringify({ ...envelope({ a: 1 }), ...changes });

describe('an envelope', () => {
  it('is read back as the rule wrote it, without what it does not know', () => {
    expect(parseEnvelope(text({ later: 1 }))).toEqual(envelope({ a: 1 }));
  });

  it("is nobody's here when its source is LoRaWAN, whatever else it holds", () => {
    expect(parseEnvelope('{"v":9,"source":"lorawan"}')).toBeUndefined();
  });

  it('needs neither source address nor trace id', () => {
    const { sourceIp, traceId, ...needed } = envelope({ a: 1 });
    expect(parseEnvelope(JSON.stringify(needed))).toEqual(needed);
  });

  it.each([
    ['not JSON', 'nope', 'MALFORMED_RECORD: (root): is not JSON'],
    ['a number', '7', 'MALFORMED_RECORD: (root): is not a JSON object'],
    ['of an unknown source', text({ source: 'sigfox' }), 'UNKNOWN_SOURCE: source: wants telemetry'],
    ['of no source', '{}', 'UNKNOWN_SOURCE: source: wants telemetry'],
    ['of another version', text({ v: 2 }), 'UNSUPPORTED_VERSION: v: wants 1'],
    ['without principal', text({ principal: undefined }), 'MALFORMED_ENVELOPE: principal: '],
    ['without message id', text({ messageId: '' }), 'MALFORMED_ENVELOPE: messageId: '],
    ['of a broken time', text({ receivedAtMs: 1.5 }), 'MALFORMED_ENVELOPE: receivedAtMs: '],
  ])('that is %s is rejected', (_what, record, message) => {
    expect(() => parseEnvelope(record)).toThrow(message);
  });

  it.each(['', 'YQ==', 'YWI=', 'YWJj', '+/+/'])('carries %j as base64', (data) => {
    expect(payloadOf({ data }).toString('base64')).toBe(data);
  });

  it.each(['YQ', 'YQ=', 'Y Q==', 'YQ==\n', 'YW=j', '====', 'ä===', 'YWJjZA'])(
    'refuses %j as base64',
    (data) => {
      expect(() => payloadOf({ data })).toThrow('MALFORMED_ENVELOPE: data: is not base64');
    },
  );
});

/** Values that are near to what a field may be, on either side. */
const odd = fc.constantFrom(
  ...[0, 1, -1, 1.5, 253_402_300_799_999, 253_402_300_800_000, null, '', 'x', true, [], {}],
  ...['n/a', 'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(128), 'x'.repeat(129), 'x'.repeat(2049)],
);

it('an envelope is taken or refused as its schema says, whichever way it is looked at', () => {
  const plain = envelope({ a: 1 });
  const fields = [...Object.keys(plain), 'sourceIp', 'traceId', 'unknown'];
  fc.assert(
    fc.property(fc.constantFrom(...fields), odd, fc.boolean(), (field, value, leftOut) => {
      const record: Record<string, unknown> = { ...plain, [field]: value };
      if (leftOut) delete record[field];
      const bySchema = Envelope.safeParse(record);
      const parse = () => parseEnvelope(JSON.stringify(record));
      if (bySchema.success) expect(parse()).toEqual(bySchema.data);
      else expect(parse).toThrow();
    }),
    { numRuns: 2_000 },
  );
});
