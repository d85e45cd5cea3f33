import { type MetricState, newMetric, observe } from '../../shared/core/detection/metric.ts';
import { ALARM_SCORE } from '../../shared/core/detection/score.ts';

/** A detector as the bench sees it: one row after the other, each with a score of 0 to 1 that sees only the past. */
export interface Contestant {
  readonly name: string;
  /** The score from which people who use it take it for an alarm. */
  readonly threshold: number;
  start(): (atMs: number, value: number) => number;
}

/** The detector with the shipped defaults, and nothing else. */
export const tributary: Contestant = {
  name: 'Tributary',
  threshold: ALARM_SCORE,
  start() {
    let state: MetricState = newMetric();
    return (atMs, value) => {
      const outcome = observe(state, { atMs, value });
      state = outcome.state;
      return outcome.verdict.score;
    };
  },
};

/** Deviations as a score: half of what can be said at ten. */
const scoreOf = (deviations: number): number => deviations / (deviations + 10);

/** Deviations at which the rule of thumb calls a value an outlier. */
const THREE_SIGMA = scoreOf(3);

const FIXED_ROWS = 288;

/** Limits of three sigma, set once from the first day of readings. */
const fixedThreshold: Contestant = {
  name: 'fixed threshold (3σ of the first 288 rows)',
  threshold: THREE_SIGMA,
  start() {
    let count = 0;
    let mean = 0;
    let squares = 0;
    return (_atMs, value) => {
      if (count < FIXED_ROWS) {
        count += 1;
        const distance = value - mean;
        mean += distance / count;
        squares += distance * (value - mean);
        return 0;
      }
      return scoreOf(Math.abs(value - mean) / (Math.sqrt(squares / count) + 1e-9));
    };
  },
};

const EWMA_GAIN = 0.01;

/** Exponentially weighted mean and variance, in their plainest form. */
export const ewma: Contestant = {
  name: 'EWMA z-score (gain 0.01)',
  threshold: THREE_SIGMA,
  start() {
    let count = 0;
    let mean = 0;
    let variance = 0;
    return (_atMs, value) => {
      count += 1;
      const distance = value - mean;
      const spread = Math.sqrt(variance) + 1e-9;
      const gain = Math.max(EWMA_GAIN, 1 / count);
      mean += gain * distance;
      variance += gain * (distance * distance - variance);
      return count < 10 ? 0 : scoreOf(Math.abs(distance) / spread);
    };
  },
};

interface Ewma {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
}

export const NO_EWMA: Ewma = { count: 0, mean: 0, variance: 0 };

/** The same, called as the detector is: to compare what it costs. */
export function observeEwma(
  { count, mean, variance }: Ewma,
  observations: readonly { readonly value: number }[],
): { state: Ewma; verdicts: readonly { readonly score: number }[] } {
  const next = { count, mean, variance };
  const verdicts = observations.map(({ value }) => {
    next.count += 1;
    const distance = value - next.mean;
    const spread = Math.sqrt(next.variance) + 1e-9;
    const gain = Math.max(EWMA_GAIN, 1 / next.count);
    next.mean += gain * distance;
    next.variance += gain * (distance * distance - next.variance);
    return { score: next.count < 10 ? 0 : scoreOf(Math.abs(distance) / spread) };
  });
  return { state: next, verdicts };
}

const WINDOW_ROWS = 300;

/** Mean and deviation of the last 300 rows, after Numenta's baseline of that name. */
const windowedGaussian: Contestant = {
  name: 'windowed Gaussian (300 rows)',
  threshold: THREE_SIGMA,
  start() {
    const window: number[] = [];
    let next = 0;
    let sum = 0;
    let squares = 0;
    return (_atMs, value) => {
      const count = window.length;
      const mean = count === 0 ? value : sum / count;
      const spread = Math.sqrt(Math.max(0, squares / Math.max(1, count) - mean * mean)) + 1e-9;
      const left = count < WINDOW_ROWS ? 0 : (window[next] ?? 0);
      window[next] = value;
      next = (next + 1) % WINDOW_ROWS;
      sum += value - left;
      squares += value * value - left * left;
      return count < 10 ? 0 : scoreOf(Math.abs(value - mean) / spread);
    };
  },
};

export const CONTESTANTS: readonly Contestant[] = [
  tributary,
  fixedThreshold,
  ewma,
  windowedGaussian,
];

/** Scores of all rows in order; the detector sees nothing of a row before it has scored the one before. */
export function scoresOf(
  contestant: Contestant,
  { times, values }: { readonly times: Float64Array; readonly values: Float64Array },
): Float64Array {
  const score = contestant.start();
  return values.map((value, at) => score(times[at] ?? 0, value));
}
