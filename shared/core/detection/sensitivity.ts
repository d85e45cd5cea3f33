import { ALARM_SCORE } from './gauge.ts';

const MONTH_MS = 30 * 86_400_000;
/** Usual time between readings where it is not known yet. */
const MINUTE_MS = 60_000;

/**
 * Score at which so many false alarms a month are to be expected of a metric that reports in this interval.
 *
 * @param perMonth  none: the shipped threshold
 */
export function alarmScoreFor(perMonth: number | undefined, intervalMs: number): number {
  if (perMonth === undefined) return ALARM_SCORE;
  const readings = MONTH_MS / (Number.isNaN(intervalMs) ? MINUTE_MS : intervalMs);
  return scoreAtRate(perMonth / readings);
}

/** Measured by `npm run bench:detection -- --data`: false alarms a reading above a score, and that score. */
const CURVE: readonly (readonly [number, number])[] = [
  [1e-2, 0.3],
  [4e-4, 0.5],
];

function scoreAtRate(rate: number): number {
  const [first, last] = [CURVE[0] ?? [0, 0], CURVE.at(-1) ?? [0, 0]];
  const share = Math.log(first[0] / rate) / Math.log(first[0] / last[0]);
  return Math.max(0.1, Math.min(0.999, first[1] + share * (last[1] - first[1])));
}
