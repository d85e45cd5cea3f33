import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { redecode } from '../../commands/codec-redecode.ts';
import { readVectors, tryCodec } from '../../commands/codec-vectors.ts';
import { main } from '../../commands/main.ts';
import { newRuntime } from '../shared/codec-runtime/world.ts';
import { reading } from '../support/uplinks.ts';

const folder = mkdtempSync(join(tmpdir(), 'tributary-codec-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CODEC = `
function decodeUplink(input) {
  return { data: { temperature: input.bytes[0] / 2, port: input.fPort, at: input.recvTime } };
}
function encodeDownlink(input) { return { fPort: 1, bytes: [input.data.interval] }; }`;

let said = { out: '', err: '' };
beforeEach(() => {
  said = { out: '', err: '' };
});
const run = (...args: readonly string[]) =>
  main(['codec', ...args], {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });

function write(files: Readonly<Record<string, string>>): string {
  const place = mkdtempSync(join(folder, 'c-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
  return place;
}

const AT = '2026-09-21T13:46:40.000Z';
const uplink = (output: object) =>
  JSON.stringify([
    { type: 'uplink', description: 'warm', input: { bytes: '2b', fPort: 2, recvTime: AT }, output },
  ]);
const RIGHT = { data: { temperature: 21.5, port: 2, at: AT } };

describe('codec test', () => {
  it.each([
    { of: 'ours', files: { 'codec.js': CODEC, 'vectors.json': uplink(RIGHT) } },
    { of: 'TS013', files: { 'index.js': CODEC, 'examples.json': uplink(RIGHT) } },
    {
      of: 'ChirpStack, with numbers and comments as its files have them',
      files: {
        'thermo.js': CODEC,
        'test_decode_thermo.json': `[{"name": "warm", "input": {"fPort": 0x02, // two
          "bytes": [0x2b], "recvTime": "${AT}"}, "expected": ${JSON.stringify(RIGHT)}}]`,
        'test_encode_thermo.json':
          '[{"name": "x", "input": {"data": {"interval": 5}}, "expected": {"fPort": 1, "bytes": [5]}}]',
      },
    },
  ])('passes vectors of $of', async ({ files }) => {
    expect(await run('test', write(files))).toBe(0);
    expect(said.out).toMatch(/: (\d) of \1 vectors pass/);
  });

  it('passes a definition of The Things Stack', async () => {
    const place = write({
      'thermo.js': CODEC,
      'thermo-codec.yaml': `
uplinkDecoder:
  fileName: thermo.js
  examples:
    - description: warm
      input: { fPort: 2, bytes: [0x2B], recvTime: '${AT}' }
      output: { data: { temperature: 21.5, port: 2, at: '${AT}' } }
downlinkEncoder:
  fileName: thermo.js
  examples:
    - description: interval
      input: { data: { interval: 5 } }
      output: { fPort: 1, bytes: [5] }
`,
    });
    expect(await run('test', join(place, 'thermo-codec.yaml'))).toBe(0);
    expect(said.out).toContain('thermo: 2 of 2 vectors pass');
  });

  it('passes a description of fields', async () => {
    const fields =
      '{"messages":[{"fields":[{"name":"temperature","at":0,"type":"uint8","divide":2}]}]}';
    const place = write({
      'fields.json': fields,
      'vectors.json': uplink({ data: { temperature: 21.5 } }),
    });
    expect(await run('test', place)).toBe(0);
  });

  it('says where an answer differs', async () => {
    const wrong = { data: { ...RIGHT.data, temperature: 22 } };
    expect(await run('test', write({ 'codec.js': CODEC, 'vectors.json': uplink(wrong) }))).toBe(1);
    expect(said.err).toContain('data.temperature: wants 22, is 21.5');
  });

  it.each([
    {
      what: 'a codec that does not load',
      files: { 'codec.js': 'function (' },
      message: /does not load: SyntaxError/,
    },
    {
      what: 'a codec without vectors',
      files: { 'codec.js': CODEC },
      message: /has no vectors: put a vectors\.json beside it/,
    },
    {
      what: 'vectors that are none',
      files: { 'codec.js': CODEC, 'vectors.json': '[{"type": "up"}]' },
      message: /holds no vectors/,
    },
    { what: 'a folder without codec', files: {}, message: /holds no codec\.js/ },
  ])('explains $what', async ({ files, message }) => {
    expect(await run('test', write(files))).toBe(1);
    expect(said.err).toMatch(message);
  });

  it('decodes one payload', async () => {
    const place = write({ 'codec.js': CODEC });
    expect(await run('test', place, '--payload', '2b', '--port', '7', '--json')).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({ data: { temperature: 21.5, port: 7 } });
  });
});

describe('codec', () => {
  it.each([
    [['fly'], /There is no 'fly'; there are test, put, /],
    [['test'], /Which codec\?/],
    [['put', 'codecs/elsys-ers', '--name', 'cbor'], /name of a format/],
    [['test', 'codecs/elsys-ers', '--payload', 'xyz'], /bytes in hexadecimal/],
  ])('called as %j says what is missing', async (args, message) => {
    expect(await run(...args)).toBe(2);
    expect(said.err).toMatch(message);
  });
});

describe('vectors', () => {
  it('of a downlink can be their bare data', () => {
    const [one] = readVectors('examples.json', [
      { type: 'downlink-encode', input: { interval: 5 }, output: { fPort: 1, bytes: '05' } },
    ]);
    expect(one).toMatchObject({ input: { data: { interval: 5 } }, output: { bytes: [5] } });
  });
});

describe('redecode', () => {
  it('shows what another codec makes of stored payloads', () => {
    const tried = tryCodec(
      newRuntime(),
      `function decodeUplink(input) {
        if (input.bytes[0] === 0) throw new Error('none');
        return { data: { temperature: input.bytes[0] / 2, humidity: 40 } };
      }`,
    );
    const stored = (data: string | undefined, metrics: Record<string, number>) =>
      reading({ transport: 'lorawan', metrics, raw: { messageId: 'm', index: 0, data, fPort: 2 } });
    expect(
      redecode(tried, [
        stored('Kw==', { temperature: 43 }),
        stored('Kw==', { temperature: 21.5, humidity: 40 }),
        stored('AA==', { temperature: 1 }),
        stored(undefined, {}),
      ]),
    ).toMatchObject([
      {
        payload: '2b',
        changes: [
          { name: 'temperature', from: 43, to: 21.5 },
          { name: 'humidity', to: 40 },
        ],
      },
      { changes: [] },
      { problem: 'CODEC_THREW: Error: none' },
    ]);
  });
});
