/** A token bucket that holds one second's worth of its rate. */
export interface Bucket {
  /** Below zero after a spend that the bucket did not cover. */
  readonly level: number;
  readonly atMs: number;
}

export function fullBucket(ratePerSecond: number, nowMs: number): Bucket {
  return { level: ratePerSecond, atMs: nowMs };
}

/** The bucket with what has flowed in since; a clock that went back adds nothing. */
export function refill(bucket: Bucket, ratePerSecond: number, nowMs: number): Bucket {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  return {
    level: Math.min(ratePerSecond, bucket.level + (elapsedMs / 1_000) * ratePerSecond),
    atMs: nowMs,
  };
}

/** The bucket after spending, into debt if need be. */
export function spend(bucket: Bucket, amount: number): Bucket {
  return { level: bucket.level - amount, atMs: bucket.atMs };
}
