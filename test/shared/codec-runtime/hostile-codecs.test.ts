import { describe, expect, it } from '@jest/globals';
import { type Budget, LOAD_BUDGET, MESSAGE_BUDGET } from '../../../shared/codec-runtime/budget.ts';
import { CodecFault } from '../../../shared/codec-runtime/codec-fault.ts';
import type { CodecRuntime } from '../../../shared/codec-runtime/codec-runtime.ts';
import { coldStarts } from '../../support/cold-starts.ts';
import { HOSTILE_CODECS } from './hostile-codecs.ts';
import { NOW_MS, newRuntime } from './world.ts';

const GOOD = `
var calls = 0;
function decodeUplink(input) {
  calls += 1;
  return { data: { temperature: ((input.bytes[0] << 8) | input.bytes[1]) / 10, calls: calls } };
}`;
const message = { bytes: [0, 215], fPort: 2, recvTime: NOW_MS };
const EXPECTED = { data: { temperature: 21.5, calls: 1 } };

/** On a machine shared with other work; alone, a spent budget takes a tenth of a second, a spent load half of one. */
const LONGEST_MS = 10_000;

/** Steps alone decide, so that the outcome is the same on a busy machine. */
const patient = ({ steps }: Budget): Budget => ({ steps, deadlineMs: 60_000 });

const runtime = newRuntime();
const good = runtime.load(GOOD);

const codeOf = (attack: (runtime: CodecRuntime) => unknown): string | undefined => {
  try {
    attack(runtime);
    return undefined;
  } catch (error) {
    return error instanceof CodecFault ? error.code : `${error}`;
  }
};

describe('a codec that', () => {
  it.each(HOSTILE_CODECS)('$attack costs no more than its budget, and the next none', (hostile) => {
    const startedAt = performance.now();
    const code = codeOf(() =>
      runtime.run(
        runtime.load(hostile.source, patient(LOAD_BUDGET)),
        'decodeUplink',
        message,
        NOW_MS,
        patient(MESSAGE_BUDGET),
      ),
    );
    const tookMs = performance.now() - startedAt;
    expect(code).toBe(hostile.code);
    expect(tookMs).toBeLessThan(LONGEST_MS);
    expect(runtime.run(good, 'decodeUplink', message, NOW_MS).answer).toEqual(EXPECTED);
  });

  it('spoils what it can, leaves the host as it was', () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(JSON.stringify({ a: [1] })).toBe('{"a":[1]}');
  });
});

describe('the budget', () => {
  const spin =
    'function decodeUplink(input) { for (var i = 0; i < input.data; i++); return { data: {} }; }';

  it('is the same number of steps each time, whatever the machine does meanwhile', () => {
    const codec = runtime.load(spin);
    const isEnough = (steps: number, rounds: number): boolean =>
      codeOf(() =>
        runtime.run(codec, 'decodeUplink', { data: rounds }, 0, { steps, deadlineMs: 60_000 }),
      ) === undefined;
    let [low, high] = [0, 10_000_000];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (isEnough(middle, 20_000)) high = middle;
      else low = middle;
    }
    for (let round = 0; round < 20; round += 1) {
      expect([isEnough(high, 20_000), isEnough(high - 1, 20_000)]).toEqual([true, false]);
    }
  });

  it('ends at the deadline what has steps left', () => {
    const codec = runtime.load('function decodeUplink() { for (;;) {} }');
    const budget = { steps: 2_000_000_000, deadlineMs: 50 };
    const startedAt = performance.now();
    const code = codeOf(() => runtime.run(codec, 'decodeUplink', message, 0, budget));
    expect(code).toBe('CODEC_OUT_OF_TIME');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

it('kills no good codec that is the first on a cold runtime', () => {
  const starts = [...coldStarts(100, 4)];
  expect(starts.filter(({ isUnseen }) => isUnseen)).toHaveLength(5);
  expect(starts.flatMap(({ problem }) => problem ?? [])).toEqual([]);
});
