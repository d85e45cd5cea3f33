/** Buckets grow by a tenth, so a percentile is at most that far off; the last begins beyond 10^12. */
const GROWTH = Math.log(1.1);
const LAST_BUCKET = 290;

/** Below this many datapoints nothing is said of a fleet. */
const ENOUGH = 500;

/** How many datapoints fell into each bucket. */
export type Histogram = ReadonlyMap<number, number>;

export const bucketOf = (count: number): number =>
  Math.min(LAST_BUCKET, Math.ceil(Math.log1p(Math.max(0, count)) / GROWTH));

/**
 * The value that a percentage of the datapoints do not exceed.
 *
 * @param percent  0 to 100
 * @returns        none while too few datapoints are known
 */
export function percentileOf(histogram: Histogram, percent: number): number | undefined {
  const total = [...histogram.values()].reduce((sum, count) => sum + count, 0);
  if (total < ENOUGH) return undefined;
  let left = (total * percent) / 100;
  const buckets = [...histogram].sort(([one], [other]) => one - other);
  for (const [bucket, count] of buckets) {
    left -= count;
    if (left <= 0) return edgeOf(bucket);
  }
  return edgeOf(buckets.at(-1)?.[0] ?? 0);
}

const edgeOf = (bucket: number): number => Math.round(Math.expm1(bucket * GROWTH));
