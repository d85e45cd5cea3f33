import { dailyMeans, type Rhythm } from './rhythm.ts';

/** Days that must agree; with fewer, a season looks like a drift. */
const DAYS = 14;
const DAYS_WANTED = 10;
/** Standard deviations of the count of rising pairs (Mann 1945, Kendall 1975). */
const SURE = 3;
const SPREADS = 3;

export interface Drift {
  readonly perDay: number;
  readonly from: number;
  readonly to: number;
  readonly days: number;
  readonly z: number;
}

/**
 * A steady rise or fall of the daily means: nearly all pairs of days agree (Mann–Kendall), and the whole of it, by the
 * median slope (Theil–Sen), is beyond what single days differ.
 */
export function driftOf(rhythm: Rhythm): Drift | undefined {
  const means = dailyMeans(rhythm).slice(-DAYS);
  const first = means[0];
  const last = means.at(-1);
  if (means.length < DAYS_WANTED || first === undefined || last === undefined) return undefined;
  const { rises, slopes } = pairs(means);
  const count = means.length;
  const z = rises / Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  if (Math.abs(z) < SURE) return undefined;
  const perDay = medianOf(slopes);
  const days = last.day - first.day;
  const centre = medianOf(means.map(({ day, mean }) => mean - perDay * (day - first.day)));
  const spread = medianOf(
    means.map(({ day, mean }) => Math.abs(mean - perDay * (day - first.day) - centre)),
  );
  const total = Math.abs(perDay * days);
  if (total <= SPREADS * spread * 1.4826 || total < 0.01 * Math.abs(centre)) return undefined;
  return { perDay, from: centre, to: centre + perDay * days, days, z };
}

function pairs(means: readonly { day: number; mean: number }[]): {
  rises: number;
  slopes: number[];
} {
  let rises = 0;
  const slopes: number[] = [];
  means.forEach((one, at) => {
    for (const other of means.slice(at + 1)) {
      rises += Math.sign(other.mean - one.mean);
      slopes.push((other.mean - one.mean) / (other.day - one.day));
    }
  });
  return { rises, slopes };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? 0;
  return sorted.length % 2 === 0 ? ((sorted[middle - 1] ?? 0) + high) / 2 : high;
}
