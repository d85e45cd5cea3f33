import { describe, expect, it } from '@jest/globals';
import { encode } from 'cborg';
import fc from 'fast-check';
import { RejectedError } from '../../../shared/core/errors.ts';
import { decodePayload } from '../../../shared/core/payload.ts';
import { bytesOf } from '../../support/uplinks.ts';

const decode = (payload: string | object | Uint8Array) => decodePayload(bytesOf(payload));
const only = (payload: string | object | Uint8Array) => {
  const [sample] = decode(payload);
  return sample;
};

describe('a payload of JSON', () => {
  it('is metrics by name', () => {
    expect(only({ temperature: -4.5, ok: true, state: 'idle' })?.metrics).toEqual({
      temperature: -4.5,
      ok: true,
      state: 'idle',
    });
  });

  it('may be nested, and names become dotted', () => {
    expect(only({ gps: { position: { lat: 48.1 }, fix: true } })?.metrics).toEqual({
      'gps.position.lat': 48.1,
      'gps.fix': true,
    });
  });

  it('carries units beside values', () => {
    expect(
      only({ battery: { value: 3.7, unit: 'V' }, air: { co2: { value: 1, unit: 'ppm' } } }),
    ).toMatchObject({
      metrics: { battery: 3.7, 'air.co2': 1 },
      units: { battery: 'V', 'air.co2': 'ppm' },
    });
  });

  it('leaves out what is null, and is a sign of life when all of it is', () => {
    expect(only({ a: null, b: 1, c: { value: null, unit: 'V' } })).toMatchObject({
      metrics: { b: 1 },
    });
    expect(only({ a: null })?.metrics).toEqual({});
  });

  it('keeps time, message id and counter apart from metrics', () => {
    expect(only({ timestamp: 1_790_000_000, mid: 'm-7', seq: 12, a: 1 })).toEqual({
      index: 0,
      metrics: { a: 1 },
      deviceMs: 1_790_000_000_000,
      timePath: 'timestamp',
      mid: 'm-7',
      seq: 12,
    });
  });

  it('reserves those names at the root only', () => {
    expect(only({ radio: { seq: 4, ts: 5 } })?.metrics).toEqual({ 'radio.seq': 4, 'radio.ts': 5 });
  });

  it('may be an array of timed samples', () => {
    const samples = decode([
      { ts: 1_790_000_000, a: 1 },
      { ts: 1_790_000_060, a: 2 },
    ]);
    expect(samples).toMatchObject([
      { index: 0, deviceMs: 1_790_000_000_000, metrics: { a: 1 } },
      { index: 1, deviceMs: 1_790_000_060_000, metrics: { a: 2 } },
    ]);
  });

  it.each(['-0', '-1e-131', '5e-324', '1e-400'])('takes %s as zero', (number) => {
    expect(Object.is(only(`{"a":${number}}`)?.metrics['a'], 0)).toBe(true);
  });

  it('takes colons and quotes in texts for what they are', () => {
    const payload = { 'a:b': '{"c":1,"c":2}', d: '\\":', 'e\\"f:': ':' };
    expect(only(payload)?.metrics).toEqual(payload);
  });

  it('comes out as it went in, whatever the names and values', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter(
        (text) =>
          !/\p{Cc}/u.test(text) &&
          !/^(?:__proto__|constructor|prototype|ts|timestamp|mid|seq)$/.test(text),
      );
    const value = fc.oneof(
      fc.boolean(),
      fc.string({ unit: 'grapheme', maxLength: 50 }),
      fc
        .double({ noNaN: true, min: -(2 ** 53 - 1), max: 2 ** 53 - 1 })
        .filter((n) => n === 0 || Math.abs(n) > 1e-130),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value, { minKeys: 1 }), fc.nat(4), (metrics, indent) => {
        const plain = Object.fromEntries(
          Object.entries(metrics).map(([k, v]) => [k, v === 0 ? 0 : v]),
        );
        expect(only(JSON.stringify(metrics, null, indent))?.metrics).toEqual(plain);
        expect(only(encode(plain))?.metrics).toEqual(plain);
      }),
    );
  });
});

describe('a payload of CBOR', () => {
  it('reads as JSON does', () => {
    const payload = { ts: 1_790_000_000, gps: { lat: 48.1 }, v: { value: 1, unit: 'V' }, n: null };
    expect(decode(encode(payload))).toEqual(decode(payload));
  });

  it('may say of itself that it is CBOR, and be an array', () => {
    const tagged = Buffer.concat([Buffer.from([0xd9, 0xd9, 0xf7]), encode([{ ts: 1, a: 2 }])]);
    expect(decode(tagged)).toMatchObject([{ deviceMs: 1000, metrics: { a: 2 } }]);
  });

  it('may leave lengths open', () => {
    expect(only(Buffer.from('bf616101ff', 'hex'))?.metrics).toEqual({ a: 1 });
  });
});

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const manyMetrics = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, at]));
const manySamples = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ ts: 1_790_000_000 + at, a: 1 }));

describe('the limits of a payload', () => {
  it.each([
    ['32 levels', nested(32)],
    ['256 metrics', manyMetrics(256)],
    ['1,000 samples', manySamples(1000)],
    ['a name of 128 characters', { ['n'.repeat(128)]: 1 }],
    ['a text of 1,024 characters', { a: 'x'.repeat(1024) }],
    ['2^53 - 1', '{"a":9007199254740991}'],
  ])('leave room for %s', (_what, payload) => {
    expect(decode(payload).length).toBeGreaterThan(0);
  });

  it('leave room for 128 KB', () => {
    expect(only(`{"a":1${' '.repeat(131_072 - 7)}}`)?.metrics).toEqual({ a: 1 });
  });
});

const HOSTILE: readonly [what: string, payload: string | object | Uint8Array, message: string][] = [
  ['nothing', '', '(root): is empty'],
  [
    '128 KB and one byte',
    `{"a":1${' '.repeat(131_072 - 6)}}`,
    '(root): has 131073 bytes, 131072 fit',
  ],
  ['words', 'hello there', '(root): wants a value here (character 1)'],
  ['white space', '  \n', '(root): ends where a value is due (character 4)'],
  ['half an object', '{"a":1', 'a: ends before its } (character 7)'],
  ['a missing comma', '{"a":1 "b":2}', 'a: wants a comma or } here (character 8)'],
  ['a trailing comma', '{"a":1,}', 'a: wants a key in double quotes here (character 8)'],
  ['a trailing comma in an array', '[{"ts":1,"a":1},]', '[1]: wants a value here (character 17)'],
  ['single quotes', "{'a':1}", '(root): wants a key in double quotes here (character 2)'],
  ['a comment', '{"a":/* no */1}', 'a: /* is not JSON (character 6)'],
  ['two values', '{"a":1}{"a":2}', '(root): has text after its end (character 8)'],
  ['a bare line break in a text', '{"a":"x\ny"}', 'a: is a string that is not closed, or holds'],
  ['NaN', '{"x":{"a":NaN}}', 'x.a: NaN is not JSON (character 11)'],
  ['Infinity', '{"a":-Infinity}', 'a: -Infinity is not JSON (character 6)'],
  ['1e400', '{"x":{"a":1e400}}', 'x.a: is not a finite number (Infinity)'],
  ['2^53', '{"a":9007199254740992}', 'a: is beyond the exact range of ±(2^53 - 1)'],
  ['Latin-1', Buffer.from('{"a":"\u00e9"}', 'latin1'), '(root): is neither UTF-8 nor CBOR'],
  ['a gzip', Buffer.from([0x1f, 0x8b, 8, 0]), '(root): is neither UTF-8 nor CBOR'],
  [
    'a byte order mark',
    '\ufeff{"a":1}',
    '(root): begins with a byte order mark (UTF-8); send UTF-8',
  ],
  ['UTF-16', Buffer.from('\ufeff{"a":1}', 'utf16le'), 'byte order mark (UTF-16, little-endian)'],
  ['half a surrogate pair', '{"a":"\\ud800"}', 'a: is not well-formed'],
  ['half a surrogate pair in a name', '{"\\udc00":1}', '\\udc00: is not a name'],
  ['a control character in a name', '{"a\\u0000":1}', 'a\\u0000: is not a name'],
  ['an empty name', '{"a":{"":1}}', 'a.: is not a name'],
  ['a long name', { ['n'.repeat(129)]: 1 }, ': is not a name: wants 1 to 128 characters'],
  [
    'a long dotted name',
    { a: { ['n'.repeat(127)]: 1 } },
    ': makes a name longer than 128 characters',
  ],
  ['a long text', { a: 'x'.repeat(1025) }, 'a: is longer than 1024 characters'],
  ['257 metrics', manyMetrics(257), 'm256: is one more than 256 metrics'],
  ['1,001 samples', manySamples(1001), '(root): has 1001 samples, 1000 fit'],
  ['no samples', '[]', '(root): is an empty array'],
  ['no metrics', '{}', '(root): has no metric'],
  ['a time and nothing else', '{"ts":1790000000}', '(root): has no metric'],
  ['a sample without metrics', '[{"ts":1,"a":1},{"ts":2}]', '[1]: has no metric'],
  ['a sample without time', '[{"ts":1,"a":1},{"a":2}]', '[1].ts: is missing'],
  ['a sample that is none', '[{"ts":1,"a":1},7]', '[1]: wants an object of metrics'],
  ['a number', '7', '(root): wants an object of metrics, or an array of timed samples'],
  ['null', 'null', '(root): wants an object of metrics, or an array of timed samples'],
  ['an array as a value', '{"x":{"a":[1,2]}}', 'x.a: is an array'],
  ['depth 33', nested(33), ': is nested deeper than 32 levels'],
  ['depth 1,000', nested(1000), ': is nested deeper than 32 levels'],
  ['depth 65,536 of arrays', `${'['.repeat(65_535)}${']'.repeat(65_535)}`, '[0]: wants an object'],
  ['65,536 open brackets', '['.repeat(65_536), ': is nested deeper than 32 levels'],
  ['__proto__', '{"a":{"__proto__":{"admin":true}}}', 'a.__proto__: is a forbidden key'],
  ['constructor', '{"constructor":1}', 'constructor: is a forbidden key'],
  ['a duplicate key', '{"a":1,"b":2,"a":3}', 'a: is a duplicate key'],
  ['a nested duplicate key', '{"x":{"a":1,"a":1}}', 'x.a: is a duplicate key'],
  ['a duplicate key in an escape', '{"ab":1,"\\u0061b":2}', 'ab: is a duplicate key'],
  [
    'a duplicate key in a sample',
    '[{"ts":1,"a":1},{"ts":2,"ts":3,"a":1}]',
    '[1].ts: is a duplicate key',
  ],
  ['a duplicate reserved key', '{"mid":"1","mid":"2","a":1}', 'mid: is a duplicate key'],
  ['a name twice by dots', '{"a.b":1,"a":{"b":2}}', 'a.b: is there twice'],
  ['two times', '{"ts":1,"timestamp":1,"a":1}', 'timestamp: is there beside ts'],
  [
    'a time without zone',
    '{"ts":"2026-09-21T13:33:20","a":1}',
    'ts: wants seconds or milliseconds',
  ],
  ['an empty message id', '{"mid":"","a":1}', 'mid: wants an integer or a text of 1 to 128'],
  ['a broken message id', '{"mid":1.5,"a":1}', 'mid: wants an integer or a text of 1 to 128'],
  ['a long message id', { mid: 'm'.repeat(129), a: 1 }, 'mid: wants an integer or a text'],
  ['a negative counter', '{"seq":-1,"a":1}', 'seq: wants an integer from 0'],
  ['a long unit', { a: { value: 1, unit: 'u'.repeat(33) } }, 'a.unit: wants 1 to 32 characters'],
  ['CBOR cut off', Buffer.from('a26161', 'hex'), 'a: ends before its end'],
  ['CBOR with a rest', Buffer.from('a16161010a', 'hex'), '(root): has bytes after its end'],
  ['CBOR with NaN', encode({ x: { a: Number.NaN } }), 'x.a: is not a finite number (NaN)'],
  ['CBOR with a big integer', encode({ a: 2n ** 60n }), 'a: is beyond the exact range'],
  ['CBOR with undefined', encode({ a: undefined }), 'a: is undefined'],
  ['CBOR with bytes', encode({ a: Uint8Array.of(1) }), 'a: is bytes'],
  ['CBOR with a tag', Buffer.from('a16161c100', 'hex'), 'a: has tag 1; tags are not supported'],
  ['CBOR with a number as key', Buffer.from('a10102', 'hex'), '(root): has a key that is not text'],
  ['CBOR with a duplicate key', Buffer.from('a2616101616102', 'hex'), 'a: is a duplicate key'],
  [
    'CBOR with __proto__',
    Buffer.from('a1695f5f70726f746f5f5f01', 'hex'),
    '__proto__: is a forbidden key',
  ],
  ['CBOR with text that is not UTF-8', Buffer.from('a1616161ff', 'hex'), 'a: is not UTF-8'],
  [
    'CBOR with a stray break',
    Buffer.from('a16161ff', 'hex'),
    'a: has a break where a value is due',
  ],
  ['CBOR of depth 65,536', Buffer.alloc(65_536, 0x81), ': is nested deeper than 32 levels'],
  [
    'CBOR that promises 2^32 elements',
    Buffer.from('9affffffff01', 'hex'),
    '[1]: ends before its end',
  ],
  ['CBOR of unknown bytes', Buffer.from('a161611c', 'hex'), 'a: is not CBOR'],
];

describe('a hostile payload', () => {
  it.each(HOSTILE)('%s is rejected, saying what and where', (_what, payload, message) => {
    expect(() => decode(payload)).toThrow(RejectedError);
    expect(() => decode(payload)).toThrow(message);
  });

  it('of any bytes is either taken or rejected', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 100 }).map((rest) => Buffer.from([0xa2, ...rest])),
    );
    fc.assert(
      fc.property(bytes, (payload) => {
        try {
          decodePayload(payload);
        } catch (error) {
          expect(error).toBeInstanceOf(RejectedError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('never has its texts repeated in the reason', () => {
    const secret = 's3cr3t-t0k3n';
    const payloads = [
      `{"a":"${secret}`,
      `{"a":"${secret}" "b":1}`,
      { ts: secret, a: 1 },
      { mid: `${secret}${'x'.repeat(200)}`, a: 1 },
      { a: secret.repeat(100) },
      { a: [secret] },
    ];
    for (const payload of payloads) {
      expect(() => decode(payload)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining(secret) }),
      );
    }
  });
});
