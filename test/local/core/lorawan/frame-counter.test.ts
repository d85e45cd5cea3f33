import { describe, expect, it } from '@jest/globals';
import { candidateCounters, judgeCounter } from '../../../../local/core/lorawan/frame-counter.ts';

describe('candidates for a whole counter', () => {
  it.each([
    ['the first frame of a session', undefined, 7, [7]],
    ['the next frame', 7, 8, [8]],
    ['the same frame', 7, 7, [7]],
    [
      'an old frame, or one after the lower half went round',
      0x1_0005,
      0x0003,
      [0x2_0003, 0x1_0003],
    ],
    ['the lower half going round', 0xffff, 0x0000, [0x1_0000, 0]],
    ['the end of all counters', 0xffff_ffff, 0x0000, [0xffff_0000]],
  ])('%s', (_what, last, fCnt16, expected) => {
    expect(candidateCounters(last, fCnt16)).toEqual(expected);
  });
});

describe('the verdict over a counter', () => {
  it.each([
    ['next', undefined, 0],
    ['next', 7, 8],
    ['next', 0xffff, 0x1_0000],
    ['next', 0, 16_384],
    ['refused', 0, 16_385],
    ['repeated', 7, 7],
    ['refused', 7, 6],
  ] as const)('%s: after %p comes %p', (kind, last, fCnt) => {
    expect(judgeCounter(last, fCnt).kind).toBe(kind);
  });
});
