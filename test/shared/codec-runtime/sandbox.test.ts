import { describe, expect, it } from '@jest/globals';
import { seeded } from '../../../local/fleet/random.ts';
import { evaluated, newRuntime } from './world.ts';

const runtime = newRuntime();

/** The same expression, in the sandbox and here. */
const both = (expression: string): readonly [unknown, unknown] => {
  const here: unknown = new Function('Buffer', `return (${expression});`)(Buffer);
  return [evaluated(runtime, expression), JSON.parse(JSON.stringify(here))];
};

describe('Buffer', () => {
  it.each([
    'Buffer.from("00ff7fZZ12", "hex").toString("hex")',
    'Buffer.from("SGVsbG8sIHfDtnJsZA==", "base64").toString()',
    'Buffer.from([251, 255, 191]).toString("base64url")',
    'Buffer.from("grün 水 😀 \\ud800").toString("hex")',
    'Buffer.from([0xc3, 0x28, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0xe2, 0x82, 0xff, 0xc0, 0x80]).toString()',
    'Buffer.from([72, 233, 128]).toString("latin1")',
    'Buffer.from([72, 233, 128]).toString("ascii")',
    'Buffer.from([72, 0, 233, 0]).toString("utf16le")',
    'Buffer.from("hé", "latin1").toString("hex")',
    'Buffer.from("h水", "ucs2").toString("hex")',
    'Buffer.from([1, 2, 3, 4]).slice(1, 3).toString("hex")',
    'Buffer.from([1, 2, 3, 4]).toString("hex", 1, 3)',
    '(() => { const b = Buffer.from([1, 2, 3]); b.slice(1)[0] = 9; return b.toString("hex"); })()',
    'Buffer.concat([Buffer.from([1]), Buffer.from([2, 3])]).toJSON()',
    'Buffer.concat([Buffer.from([1, 2]), Buffer.from([2, 3])], 3).toString("hex")',
    'Buffer.alloc(3, 7).toString("hex") + Buffer.alloc(5, "ab").toString()',
    'Buffer.byteLength("ü") + Buffer.from([1, 2]).byteLength',
    'Buffer.compare(Buffer.from([1, 2]), Buffer.from([1, 3])) + 10 * Buffer.from([1]).equals(Buffer.from([1]))',
    '[Buffer.from("abcabc").indexOf("ca"), Buffer.from([1, 2]).indexOf(2), Buffer.from([1]).includes(3)]',
    '(() => { const b = Buffer.alloc(6); return [b.write("abc", 2), b.writeUInt16BE(513, 0), b.toString("hex")]; })()',
    '(() => { const b = Buffer.alloc(8); b.writeInt32LE(-2, 0); b.writeFloatBE(1.5, 4); return b.toString("hex"); })()',
    '(() => { const b = Buffer.alloc(3); return [Buffer.from([1, 2, 3, 4]).copy(b, 1, 1), b.toString("hex")]; })()',
    'Buffer.from([1, 2, 3, 4]).swap16().toString("hex") + Buffer.from([1, 2, 3, 4]).swap32().toString("hex")',
    '[Buffer.isBuffer(Buffer.alloc(1)), Buffer.isBuffer([1]), Buffer.isEncoding("HEX")]',
    'JSON.parse(JSON.stringify(Buffer.from(Buffer.from([5]).toJSON())))',
    'Array.from(Buffer.from([3, 4]).entries())',
    'Buffer.from([1, 2, 3]).map((x) => x * 2).toString("hex")',
    'Buffer.from([1, 2, 3]).subarray(1).readUInt8(0)',
  ])('%s is what it is in Node', (expression) => {
    const [inside, here] = both(expression);
    expect(inside).toEqual(here);
  });

  it('reads and writes numbers as Node does, at every offset', () => {
    const random = seeded(7);
    const hex = Buffer.from(Array.from({ length: 24 }, () => Math.floor(random() * 256))).toString(
      'hex',
    );
    const fixed = ['Int8', 'UInt8', 'Uint8'].map((kind) => `b.read${kind}(at)`);
    const ordered = ['Int16', 'UInt16', 'Uint32', 'Int32', 'UInt32', 'Float', 'Double'].flatMap(
      (kind) => [`b.read${kind}LE(at)`, `b.read${kind}BE(at)`],
    );
    const sized = [1, 2, 3, 4, 5, 6].flatMap((size) =>
      ['UIntBE', 'UIntLE', 'IntBE', 'IntLE'].map((kind) => `b.read${kind}(at, ${size})`),
    );
    const big = ['BigInt64LE', 'BigUInt64BE'].map((kind) => `String(b.read${kind}(at))`);
    for (let at = 0; at <= 16; at += 3) {
      const [inside, here] = both(
        `((b, at) => [${[...fixed, ...ordered, ...sized, ...big].join(', ')}])(Buffer.from('${hex}', 'hex'), ${at})`,
      );
      expect(inside).toEqual(here);
    }
  });

  it.each([
    'Buffer.from([1]).readUInt16BE(0)',
    'Buffer.from([1, 2]).readUInt8(2)',
    'Buffer.from(5)',
    'Buffer.from("a", "rot13")',
  ])('%s throws as in Node', (expression) => {
    const caught = `(() => { try { ${expression}; return 'nothing'; } catch (e) { return e.name; } })()`;
    const [inside, here] = both(caught);
    expect(inside).toBe(here);
  });
});

describe('a locale', () => {
  it.each([
    '(1234567.8915).toLocaleString()',
    '(-1234.5).toLocaleString("en-US")',
    '(0.00004).toLocaleString()',
    '(12).toLocaleString("en-US", { minimumFractionDigits: 2 })',
    '(12.345).toLocaleString("en-US", { maximumFractionDigits: 1, minimumFractionDigits: 1 })',
    '(123456).toLocaleString("en-US", { useGrouping: false })',
    '(NaN).toLocaleString()',
    'new Date(1e12).toLocaleDateString()',
    'new Date(NaN).toLocaleString()',
    'new Date(1e12).toLocaleString("en-US", { hour12: false, timeZone: "UTC" }).replace(/^24/, "00")',
  ])('%s is as in American English', (expression) => {
    const [inside, here] = both(expression);
    expect(inside).toBe(here);
  });

  it.each([
    ['new Date(1e12).toLocaleTimeString()', '1:46:40 AM'],
    ['new Date(1e12 + 43200000).toLocaleString()', '9/9/2001, 1:46:40 PM'],
    ['new Date(0).toLocaleTimeString()', '12:00:00 AM'],
  ])('%s is %s', (expression, text) => {
    expect(evaluated(runtime, expression)).toBe(text);
  });

  it('refuses zones by name', () => {
    const expression = `(() => { try { new Date(0).toLocaleString('de', { timeZone: 'Europe/Berlin' }); } catch (e) { return String(e); } })()`;
    expect(evaluated(runtime, expression)).toBe(
      'RangeError: Invalid time zone specified: Europe/Berlin (codecs know UTC only)',
    );
  });
});

describe('the globals', () => {
  it('are those of the language, a console, Buffer and a module, and nothing of the host', () => {
    const names = evaluated(runtime, 'Object.getOwnPropertyNames(globalThis).sort()');
    const language: unknown = JSON.parse(JSON.stringify(LANGUAGE));
    expect(new Set(names as string[]).difference(new Set(language as string[]))).toEqual(
      new Set(['Buffer', 'console', 'decodeUplink', 'exports', 'module', 'require']),
    );
  });

  it('have no module but buffer', () => {
    expect(evaluated(runtime, 'require("buffer").Buffer === Buffer')).toBe(true);
    const expression = `(() => { try { require('fs'); } catch (e) { return e.message; } })()`;
    expect(evaluated(runtime, expression)).toBe(
      "Cannot find module 'fs': codecs have no modules but buffer",
    );
  });
});

/** ECMAScript, clause 19, its annex B, and what QuickJS adds without reaching out: atob, btoa, a stopped clock. */
const LANGUAGE = [
  ...['AggregateError', 'Array', 'ArrayBuffer', 'AsyncDisposableStack', 'Atomics', 'BigInt'],
  ...['BigInt64Array', 'BigUint64Array', 'Boolean', 'DataView', 'Date', 'DisposableStack', 'Error'],
  ...['EvalError', 'FinalizationRegistry', 'Float16Array', 'Float32Array', 'Float64Array'],
  ...['Function', 'Infinity', 'Int16Array', 'Int32Array', 'Int8Array', 'InternalError', 'Iterator'],
  ...['JSON', 'Map', 'Math', 'NaN', 'Number', 'Object', 'Promise', 'Proxy', 'RangeError'],
  ...['ReferenceError', 'Reflect', 'RegExp', 'Set', 'SharedArrayBuffer', 'String', 'Symbol'],
  ...['SuppressedError', 'SyntaxError', 'TypeError', 'URIError', 'Uint16Array', 'Uint32Array'],
  ...['Uint8Array', 'Uint8ClampedArray', 'WeakMap', 'WeakRef', 'WeakSet', 'decodeURI'],
  ...['decodeURIComponent', 'encodeURI', 'encodeURIComponent', 'escape', 'eval', 'globalThis'],
  ...['isFinite', 'isNaN', 'parseFloat', 'parseInt', 'undefined', 'unescape'],
  ...['DOMException', 'atob', 'btoa', 'performance', 'queueMicrotask', 'navigator'],
];
