import { ALARM_SCORE } from './score.ts';

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

/** A score, and how many readings in one are false alarms from it on: measured on public labelled series. */
const CURVE: readonly (readonly [number, number])[] = [
  [0.3, 1.1e-3],
  [0.5, 3.7e-4],
  [0.6, 2.5e-4],
  [0.7, 1.4e-4],
  [0.8, 7.1e-5],
  [0.9, 3.3e-5],
  [0.97, 1e-5],
  [0.999, 1e-6],
];

/** Between two points of the curve by the logarithm of the rate; its ends beyond them. */
function scoreAtRate(rate: number): number {
  const next = CURVE.findIndex(([, measured]) => measured <= rate);
  const after = CURVE[next];
  const before = CURVE[next - 1];
  if (after === undefined) return 1;
  if (before === undefined) return after[0];
  const share = Math.log(before[1] / rate) / Math.log(before[1] / after[1]);
  return before[0] + share * (after[0] - before[0]);
}
