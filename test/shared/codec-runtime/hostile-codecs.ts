import type { FaultCode } from '../../../shared/codec-runtime/codec-fault.ts';

export interface HostileCodec {
  readonly attack: string;
  readonly source: string;
  /** What it comes to; undefined where it is harmless and answers. */
  readonly code: FaultCode | undefined;
}

const inDecode = (body: string): string => `function decodeUplink(input) { ${body} }`;

/** Codecs that mean harm, or that a careless vendor could write. */
export const HOSTILE_CODECS: readonly HostileCodec[] = [
  {
    attack: 'loops for ever',
    source: inDecode('for (;;) {}'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'loops for ever at its top level',
    source: 'while (true) {}',
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'loops for ever and catches whatever ends it',
    source: inDecode('for (;;) { try { for (;;) {} } catch (e) {} finally { continue; } }'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'walks a list of 2^53 inside the interpreter',
    source: inDecode('return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'sorts a list of 2^32 that is not there',
    source: inDecode('return Array.prototype.sort.call({ length: 2 ** 32 });'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'matches a pattern that backtracks without end',
    source: inDecode('return /^(a+)+$/.test("a".repeat(50) + "b");'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'raises a big integer to a huge power',
    source: inDecode('return { data: { value: String(7n ** 50000000n) } };'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'calls itself in two ways at each level',
    source: inDecode('function f(n) { return n === 0 ? 1 : f(n - 1) + f(n - 1); } return f(60);'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'joins long texts again and again, few steps for much work',
    source: inDecode(
      'var a = "x".repeat(1 << 20), o = []; for (;;) { o[0] = a + o.length; o[0].charCodeAt(3); }',
    ),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'copies a large buffer again and again',
    source: inDecode('var b = new Uint8Array(4 << 20); for (;;) b.copyWithin(1, 0);'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'maps a sparse list of forty million',
    source: inDecode('return new Array(4e7).map(function (x) { return 1; });'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'reads from a generator without end',
    source: inDecode('function* g() { for (;;) yield 1; } return Array.from(g());'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'fills lists without end',
    source: inDecode('var o = []; for (;;) o.push(new Array(1000).fill(1));'),
    code: 'CODEC_OUT_OF_MEMORY',
  },
  {
    attack: 'allocates buffers without end',
    source: inDecode('var o = []; for (;;) o.push(new ArrayBuffer(1 << 20));'),
    code: 'CODEC_OUT_OF_MEMORY',
  },
  {
    attack: 'doubles a text without end',
    source: inDecode('var s = "x"; for (;;) { s += s; s.charCodeAt(0); }'),
    code: 'CODEC_OUT_OF_MEMORY',
  },
  {
    attack: 'fills its top level with tables',
    source: 'var t = []; for (;;) t.push(new Array(1000).fill(0.5));',
    code: 'CODEC_OUT_OF_MEMORY',
  },
  {
    attack: 'calls itself without end',
    source: inDecode('return decodeUplink(input) + 1;'),
    code: 'CODEC_THREW',
  },
  {
    attack: 'nests brackets deeper than a parser can go',
    source: inDecode('return eval("[".repeat(200000));'),
    code: 'CODEC_CRASHED',
  },
  {
    attack: 'answers with a promise',
    source: 'async function decodeUplink(input) { return { data: { a: 1 } }; }',
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'keeps a promise in its data',
    source: inDecode('return { data: { later: Promise.resolve(1) } };'),
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'leaves work for later that never ends',
    source: inDecode('(function f() { Promise.resolve().then(f); })(); return { data: { a: 1 } };'),
    code: undefined,
  },
  {
    attack: 'answers NaN',
    source: inDecode('return { data: { temperature: parseInt("none", 10) } };'),
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'answers an infinite number',
    source: inDecode('return { data: { list: [1, { deep: 1 / 0 }] } };'),
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'answers five megabytes of text',
    source: inDecode('return { data: { text: "x".repeat(5e6) } };'),
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'answers a million small values',
    source: inDecode(
      'var o = {}; for (var i = 0; i < 1e5; i++) o["k" + i] = i; return { data: o };',
    ),
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'answers a circle',
    source: inDecode('var o = {}; o.o = o; return { data: o };'),
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'answers a list that says it has 2^32 members',
    source: inDecode('var o = []; o.length = 4294967295; return { data: { o: o } };'),
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'answers a key that would change prototypes',
    source: inDecode('return { data: JSON.parse(\'{"__proto__": {"isAdmin": true}}\') };'),
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'answers through a proxy whose traps loop',
    source: inDecode('return { data: new Proxy({}, { ownKeys: function () { for (;;) {} } }) };'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'answers through a getter that loops',
    source: inDecode('return { data: { get a() { for (;;) {} } } };'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'answers through a toJSON that never settles',
    source: inDecode('var o = { toJSON: function () { return o; } }; return { data: o };'),
    code: undefined,
  },
  {
    attack: 'throws an error whose text loops',
    source: inDecode('throw { message: { toString: function () { for (;;) {} } } };'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'throws an error with a text of a megabyte',
    source: inDecode('throw new Error("x".repeat(1e6));'),
    code: 'CODEC_THREW',
  },
  {
    attack: 'spoils every prototype it knows',
    source: `
      Object.prototype.toJSON = function () { return { data: { spoilt: 1 } }; };
      Array.prototype.push = Array.prototype.map = function () { for (;;) {} };
      String.prototype.toString = function () { for (;;) {} };
      JSON.parse = JSON.stringify = Object.keys = function () { for (;;) {} };
      Array.isArray = Number.isFinite = function () { return true; };
      ${inDecode('return { data: { temperature: 0 / 0 } };')}`,
    code: 'CODEC_ANSWER_INVALID',
  },
  {
    attack: 'takes away the globals that the sandbox stands on',
    source: `
      JSON = Object = Array = Date = String = eval = undefined; globalThis.console = null;
      ${inDecode('return { data: { a: 1 } };')}`,
    code: undefined,
  },
  {
    attack: 'climbs through constructors to another realm',
    source: inDecode(
      'return { data: { found: input.constructor.constructor("return typeof process + typeof fetch")() } };',
    ),
    code: undefined,
  },
  {
    attack: 'imports a module',
    source: inDecode('import("node:fs"); return { data: { a: 1 } };'),
    code: undefined,
  },
  {
    attack: 'requires a module',
    source: inDecode('return { data: { a: require("child_process") } };'),
    code: 'CODEC_THREW',
  },
  {
    attack: 'waits on memory that is shared with nobody',
    source: inDecode('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e9);'),
    code: 'CODEC_THREW',
  },
  {
    attack: 'logs without end',
    source: inDecode('for (;;) console.log("x".repeat(1000));'),
    code: 'CODEC_OUT_OF_STEPS',
  },
  {
    attack: 'compiles a pattern of a hundred thousand groups',
    source: inDecode('return new RegExp("(".repeat(100000) + ")".repeat(100000));'),
    code: 'CODEC_THREW',
  },
];
