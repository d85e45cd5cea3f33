import { readdirSync, readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { readCodec } from '../../commands/codec-files.ts';
import { checkVectors, tryCodec } from '../../commands/codec-vectors.ts';
import { measurementOf } from '../../shared/core/lorawan/measurements.ts';
import { newRuntime } from '../shared/codec-runtime/world.ts';
import { randomPayloads } from '../support/random-payloads.ts';

const names = readdirSync('codecs');
const runtime = newRuntime();

it('there are codecs of eight vendors at least, each with where its payload is described', () => {
  const vendors = names.map((name) => {
    const told = JSON.parse(readFileSync(`codecs/${name}/codec.json`, 'utf8'));
    expect(told).toEqual({
      vendor: expect.any(String),
      device: expect.any(String),
      payload: expect.any(String),
    });
    return told.vendor as string;
  });
  expect(new Set(vendors).size).toBeGreaterThanOrEqual(8);
});

describe.each(names)('the codec %s', (name) => {
  const files = readCodec(`codecs/${name}`);
  const tried = tryCodec(runtime, files.source);

  it('passes its vectors', () => {
    expect(files.vectors.length).toBeGreaterThan(2);
    expect(checkVectors(tried, files.vectors).filter(({ problem }) => problem)).toEqual([]);
  });

  it('decodes in any order what it decodes in that of its vectors', () => {
    const outcomes = checkVectors(tried, [...files.vectors].reverse());
    expect(outcomes.filter(({ problem }) => problem)).toEqual([]);
  });

  it('makes data or errors of ten thousand random payloads, the same inside the sandbox as outside', () => {
    const context = createContext({});
    runInContext(files.source, context);
    const outside = runInContext(
      '(input) => JSON.stringify(decodeUplink({ ...JSON.parse(input), recvTime: new Date(0) }))',
      context,
    ) as (input: string) => string;
    const ports = files.vectors.map(({ input }) => input.fPort ?? 1);
    let round = 0;
    for (const bytes of randomPayloads(files.vectors, 10_000, name.length)) {
      round += 1;
      const fPort = ports[round % ports.length] ?? 1;
      const text = outside(JSON.stringify({ bytes, fPort }));
      const answer = JSON.parse(text) as { data?: unknown; errors?: readonly string[] };
      expect(answer.errors === undefined).toBe(answer.data !== undefined);
      if (answer.data !== undefined) measurementOf(answer.data);
      if (round % 50 !== 0) continue;
      const inside = tried.ask('decodeUplink', { bytes, fPort, recvTime: 0 });
      expect(JSON.stringify(inside)).toBe(text);
    }
  });
});
