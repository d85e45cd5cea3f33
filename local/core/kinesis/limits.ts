const MIB = 1024 * 1024;

/** What a request may hold. Sizes are bytes of data and partition key together. */
export const REQUEST_LIMITS = {
  recordBytes: MIB,
  partitionKeyCharacters: 256,
  putRecords: 500,
  putBytes: 5 * MIB,
  getRecords: 10_000,
  getBytes: 10 * MIB,
} as const;

/** What a shard takes and gives in one second. */
export const SHARD_RATES = {
  recordsIn: 1_000,
  bytesIn: MIB,
  readsOut: 5,
  bytesOut: 2 * MIB,
} as const;

/** A new on-demand stream begins with as many shards. */
export const ON_DEMAND_SHARDS = 4;

/** Hours a record stays: a day unless said otherwise, at most a year. */
export const RETENTION_HOURS = { least: 24, most: 8_760 } as const;
