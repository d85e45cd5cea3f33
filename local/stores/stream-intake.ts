import { SHARD_RATES } from '../core/kinesis/limits.ts';
import { type Bucket, fullBucket, refill, spend } from '../core/kinesis/throughput.ts';

/** Decides whether a shard takes one more record now. */
export type Intake = (bytes: number, nowMs: number) => boolean;

export const unlimitedIntake: Intake = () => true;

/** 1,000 records and 1 MiB a second, each with a burst of one second's worth. */
export function limitedIntake(nowMs: number): Intake {
  let records: Bucket = fullBucket(SHARD_RATES.recordsIn, nowMs);
  let bytes: Bucket = fullBucket(SHARD_RATES.bytesIn, nowMs);
  return (recordBytes, atMs) => {
    records = refill(records, SHARD_RATES.recordsIn, atMs);
    bytes = refill(bytes, SHARD_RATES.bytesIn, atMs);
    if (records.level < 1 || bytes.level < recordBytes) return false;
    records = spend(records, 1);
    bytes = spend(bytes, recordBytes);
    return true;
  };
}
