import { expect, it } from '@jest/globals';
import { type Chart, drawChart } from '../../commands/chart.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const MINUTE_MS = 60_000;

const chart = (values: readonly number[], changes: Partial<Chart> = {}): Chart => ({
  points: values.map((value, at) => ({ atMs: NOON + at * MINUTE_MS, value })),
  fromMs: NOON + 3 * MINUTE_MS,
  untilMs: Number.POSITIVE_INFINITY,
  ...changes,
});

it('draws readings, the band they left, and when', () => {
  expect(drawChart(chart([2, 2, 2, 10, 10], { low: 1, high: 3 }), 40)).toEqual([
    '10 │                          ●        ●',
    '   │',
    '   │',
    '   │',
    '   │',
    '   │',
    ' 3 │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄',
    '   │·        ·        ·',
    ' 1 │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄',
    '   └────────────────────────────────────',
    '    12:00:00                    12:04:00',
  ]);
});

it.each([
  { of: 'a constant', values: [5, 5, 5, 5, 5] },
  { of: 'what is far away', values: [21, 21, 21, -10_000, -10_000] },
  { of: 'tiny differences', values: [1e6, 1e6 + 0.001, 1e6, 1e6, 1e6] },
  { of: 'one reading', values: [3] },
])('draws $of within its columns', ({ values }) => {
  const lines = drawChart(chart(values), 60);
  expect(lines).toHaveLength(11);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(60);
  expect(lines.join('')).toMatch(/[·●]/);
});

it('names days where readings are days apart', () => {
  const points = [0, 1, 2].map((day) => ({ atMs: NOON + day * 86_400_000, value: day }));
  expect(drawChart(chart([], { points }), 60).at(-1)).toMatch(
    /^ +2026-11-22 12:00 +2026-11-24 12:00$/,
  );
});

it('draws nothing of no readings', () => {
  expect(drawChart(chart([], { low: 1, high: 2 }), 60)).toEqual([]);
});
