import { expect, it } from '@jest/globals';
import { eventsAt, eventsWithin, vusPr } from '../../../../bench/support/detection-events.ts';
import {
  bestThreshold,
  crossValidated,
  nabScore,
  PROFILES,
  prepare,
} from '../../../../bench/support/detection-nab.ts';
import type { Series } from '../../../../bench/support/detection-sets.ts';

/** A hundred rows, fifteen of them for learning, and one window. */
const series: Series = {
  path: 'a/one.csv',
  category: 'a',
  times: Float64Array.from({ length: 100 }, (_, row) => 60_000 * row),
  values: new Float64Array(100),
  windows: [[50, 59]],
  from: 15,
};

const flags = (...rows: readonly number[]): Float64Array =>
  Float64Array.from({ length: 100 }, (_, row) => (rows.includes(row) ? 1 : 0));

const nab = (...rows: readonly number[]): number =>
  nabScore(prepare([series], [flags(...rows)]), 0.5, PROFILES.standard);

it('scores silence 0 and the first row of each window 100', () => {
  expect(nab()).toBe(0);
  expect(nab(50)).toBeCloseTo(100, 10);
});

it('takes for a false alarm before any window 11 % of a miss, half of it as 100 are two', () => {
  expect(nab(50, 30)).toBeCloseTo(100 - 11 / 2, 10);
});

it('asks nothing of the rows for learning', () => {
  expect(nab(50, 3)).toBeCloseTo(100, 10);
});

it('gives less for a later row of a window, and takes less right behind it', () => {
  expect(nab(57)).toBeLessThan(nab(52));
  expect(nab(50, 61)).toBeGreaterThan(nab(50, 90));
});

it('finds the threshold that is best, and one on other categories', () => {
  const scores = Float64Array.from({ length: 100 }, (_, row) =>
    row === 50 ? 0.8 : row === 30 ? 0.7 : 0.1,
  );
  const list = prepare([series, { ...series, category: 'b' }], [scores, scores]);
  expect(bestThreshold(list, PROFILES.standard)).toBe(0.8);
  expect(crossValidated(list, PROFILES.standard)).toBeCloseTo(100, 10);
});

it('counts events once, alarms close to each other once, and the rows until the first flag', () => {
  expect(eventsAt([series], [flags(20, 25, 52, 55, 64, 80)], 0.5)).toMatchObject({
    events: 1,
    recall: 1,
    medianDelay: 2,
    precision: 1 / 3,
    falseAlarmsPer10000: (10_000 * 2) / 85,
  });
});

it('finds the best threshold within a number of false alarms', () => {
  const scores = Float64Array.from({ length: 100 }, (_, row) =>
    row === 52 ? 0.6 : row === 30 ? 0.9 : 0.1,
  );
  expect(eventsWithin([series], [scores], 0).recall).toBe(0);
  expect(eventsWithin([series], [scores], 200)).toMatchObject({ recall: 1, threshold: 0.6 });
});

it('measures more volume under precision and recall for the labels themselves than for noise', () => {
  const perfect = Float64Array.from({ length: 100 }, (_, row) => (row >= 50 && row <= 59 ? 1 : 0));
  const blind = Float64Array.from({ length: 100 }, (_, row) => ((row * 37) % 101) / 101);
  expect(vusPr([series], [perfect])).toBeGreaterThan(vusPr([series], [blind]) + 0.2);
});
