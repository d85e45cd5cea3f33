import { describe, expect, it } from '@jest/globals';
import { decode, evaluated, faultOf, NOW_MS, newRuntime } from './world.ts';

const runtime = newRuntime();

describe('a message', () => {
  it('finds the state that the codec’s top level left, and nothing of other messages', () => {
    const codec = runtime.load(`
      var seen = [], table = { a: 1 };
      function decodeUplink(input) {
        seen.push(input.bytes[0]); table.a += 1; Array.prototype.leak = 1; leaked = (typeof leaked);
        return { data: { seen: seen, a: table.a, leaked: leaked } };
      }`);
    for (const byte of [7, 8]) {
      const { answer } = runtime.run(codec, 'decodeUplink', { bytes: [byte], fPort: 1 }, 0);
      expect(answer).toEqual({ data: { seen: [byte], a: 2, leaked: 'undefined' } });
    }
  });

  it('is not touched by other codecs, in any order', () => {
    const codecs = ['one', 'two', 'three'].map((name) =>
      runtime.load(`var name = '${name}', big = new Array(${name.length * 4000}).fill(name);
        function decodeUplink() { big.length -= 1; return { data: { name: name, length: big.length } }; }`),
    );
    const order = [0, 1, 2, 2, 1, 0, 0, 2, 1];
    const answers = order.map((at) => {
      const codec = codecs[at];
      return codec && runtime.run(codec, 'decodeUplink', {}, 0).answer;
    });
    const names = ['one', 'two', 'three'] as const;
    expect(answers).toEqual(
      order.map((at) => {
        const name = names[at] ?? '';
        return { data: { name, length: name.length * 4000 - 1 } };
      }),
    );
  });

  it('gets bytes as a plain list, the time of receipt as a Date, and the rest as it is', () => {
    const source = `function decodeUplink(input) {
      return { data: {
        plain: Object.getPrototypeOf(input.bytes) === Array.prototype, bytes: input.bytes, fPort: input.fPort,
        time: input.recvTime instanceof Date && input.recvTime.getTime(), variables: input.variables
      } };
    }`;
    const input = { bytes: [1, 255], fPort: 5, recvTime: NOW_MS, variables: { scale: '10' } };
    expect(decode(runtime, source, input)).toEqual({
      data: { plain: true, bytes: [1, 255], fPort: 5, time: NOW_MS, variables: { scale: '10' } },
    });
  });

  it('stands at its time of receipt, in UTC, also for what the top level made of the time', () => {
    const source = `
      var loadedAt = Date.now();
      function decodeUplink() {
        var now = new Date();
        return { data: { now: now.getTime(), loadedAt: loadedAt, hour: now.getHours(), zone: now.getTimezoneOffset() } };
      }`;
    expect(decode(runtime, source)).toEqual({
      data: { now: NOW_MS, loadedAt: NOW_MS, hour: 14, zone: 0 },
    });
  });

  it('draws the same random numbers each time', () => {
    const draw = () => evaluated(runtime, 'Math.random()');
    expect(draw()).toBe(draw());
  });
});

describe('a codec is found', () => {
  const body = '(input) { return { data: { first: input.bytes[0], fPort: input.fPort } }; }';
  const legacy = 'return { first: bytes[0], fPort: port };';
  it.each([
    { as: 'a function of its script', source: `function decodeUplink${body}` },
    { as: 'a constant of its script', source: `const decodeUplink = function ${body};` },
    {
      as: 'a member of module.exports',
      source: `module.exports = { decodeUplink: function ${body} };`,
    },
    { as: 'a member of exports', source: `exports.decodeUplink = function ${body};` },
    { as: 'a member of driver', source: `var driver = { decodeUplink: function ${body} };` },
    { as: 'Decoder(bytes, port)', source: `function Decoder(bytes, port) { ${legacy} }` },
    {
      as: 'Decode(fPort, bytes, variables)',
      source: `function Decode(port, bytes, variables) { ${legacy} }`,
    },
    {
      as: 'implicit globals and octal literals',
      source: `n = 010; for (k in []); function decodeUplink${body}`,
    },
    {
      as: 'a script that declares what the sandbox has',
      source: `const Buffer = null, console = 1; function decodeUplink${body}`,
    },
  ])('as $as', ({ source }) => {
    expect(decode(runtime, source)).toEqual({ data: { first: 1, fPort: 2 } });
  });

  it('by the standard’s name before an older one', () => {
    const source = `function Decoder() { return { a: 'older' }; }
      function decodeUplink() { return { data: { a: 'standard' } }; }`;
    expect(decode(runtime, source)).toEqual({ data: { a: 'standard' } });
  });

  it('with the functions that it has, and not with others', () => {
    const codec = runtime.load(
      'function encodeDownlink(input) { return { fPort: 1, bytes: [input.data.on] }; }',
    );
    expect([...codec.functions]).toEqual(['encodeDownlink']);
    const { answer } = runtime.run(codec, 'encodeDownlink', { data: { on: 1 } }, 0);
    expect(answer).toEqual({ fPort: 1, bytes: [1] });
    expect(faultOf(() => runtime.run(codec, 'decodeUplink', {}, 0))).toMatchObject({
      code: 'CODEC_LACKS_FUNCTION',
      message: 'has no function decodeUplink',
    });
  });

  it.each([
    { source: 'function decodeUplink( {', message: /^SyntaxError: / },
    { source: 'export function decodeUplink() {}', message: /^SyntaxError: / },
    { source: 'missing.member;', message: 'ReferenceError: missing is not defined' },
    { source: ' '.repeat(600_000), message: 'its source has 600000 bytes, 524288 fit' },
  ])('to be unloadable: $message', ({ source, message }) => {
    const fault = faultOf(() => runtime.load(source));
    expect(fault.code).toBe('CODEC_UNLOADABLE');
    expect(fault.message).toMatch(message);
  });
});

describe('normalizeUplink', () => {
  const source = `
    function decodeUplink(input) { return { data: { t: input.bytes[0] } }; }
    function normalizeUplink(input) { return { data: { air: { temperature: input.data.t } } }; }`;

  it('gets the data of the same message', () => {
    const codec = runtime.load(source);
    const { answer, normalized } = runtime.run(
      codec,
      'decodeUplink',
      { bytes: [21], normalize: true },
      0,
    );
    expect({ answer, normalized }).toEqual({
      answer: { data: { t: 21 } },
      normalized: { data: { air: { temperature: 21 } } },
    });
  });

  it('is left out unless it is asked for', () => {
    const { normalized } = runtime.run(runtime.load(source), 'decodeUplink', { bytes: [21] }, 0);
    expect(normalized).toBeUndefined();
  });
});

describe('an answer', () => {
  it.each([
    { of: 'a date', value: 'new Date(0)', json: '1970-01-01T00:00:00.000Z' },
    { of: 'a hole', value: '[1, , undefined, null]', json: [1, null, null, null] },
    { of: 'minus zero', value: '-0', json: 0 },
    {
      of: 'a member without value',
      value: '{ a: undefined, b: function () {}, c: 1 }',
      json: { c: 1 },
    },
    { of: 'a buffer', value: 'Buffer.from([1, 2])', json: { type: 'Buffer', data: [1, 2] } },
    { of: 'a typed array', value: 'new Uint8Array([1, 2])', json: { 0: 1, 1: 2 } },
    {
      of: 'an instance',
      value: 'new (class A { constructor() { this.a = 1; } get b() { return 2; } })()',
      json: { a: 1 },
    },
    { of: 'a text beyond ASCII', value: '"°C ü 水 \\u{1f600}"', json: '°C ü 水 😀' },
  ])('of $of is what JSON makes of it', ({ value, json }) => {
    expect(evaluated(runtime, value)).toEqual(json);
  });

  it.each([
    { value: '0 / 0', problem: 'data.value is NaN, no finite number' },
    { value: '[{ a: -1 / 0 }]', problem: 'data.value[0].a is -Infinity, no finite number' },
    { value: '10n', problem: 'data.value is a BigInt, which JSON has not' },
    { value: 'new Map()', problem: 'data.value is a Map, which JSON has not' },
    { value: 'new Set()', problem: 'data.value is a Set, which JSON has not' },
    {
      value: '(async function () {})()',
      problem: 'data.value is a promise; a codec has to answer at once',
    },
  ])('of $value is refused: $problem', ({ value, problem }) => {
    expect(faultOf(() => evaluated(runtime, value))).toMatchObject({
      code: 'CODEC_ANSWER_INVALID',
      message: problem,
    });
  });

  it('keeps the first lines of the console', () => {
    const codec = runtime.load(`function decodeUplink() {
      console.log('a', 1, { b: [2] }, null); console.warn(undefined); return { data: {} };
    }`);
    expect(runtime.run(codec, 'decodeUplink', {}, 0).logs).toEqual([
      'a 1 {"b":[2]} null',
      'undefined',
    ]);
  });
});
