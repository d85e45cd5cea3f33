import { hash } from 'node:crypto';

const HASH_KEYS = 2n ** 128n;

/** The largest hash key: 2^128 − 1. */
export const MAX_HASH_KEY = HASH_KEYS - 1n;

/** A shard's part of the hash keys, both ends included. */
export interface HashKeyRange {
  readonly starting: bigint;
  readonly ending: bigint;
}

/** MD5 of the partition key's UTF-8 bytes, read as a big-endian 128-bit number. */
export function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${hash('md5', partitionKey, 'hex')}`);
}

/**
 * An `ExplicitHashKey` as its number.
 *
 * @param text  decimal without leading zeros, 0 to 2^128 − 1
 * @returns     undefined when it is not one
 */
export function parseHashKey(text: string): bigint | undefined {
  if (!/^(?:0|[1-9]\d{0,38})$/.test(text)) return undefined;
  const key = BigInt(text);
  return key <= MAX_HASH_KEY ? key : undefined;
}

const rangeWidth = (shardCount: number): bigint => HASH_KEYS / BigInt(shardCount);

/** Equal parts of all hash keys; the last one also takes what the division left over. */
export function evenRanges(shardCount: number): HashKeyRange[] {
  const width = rangeWidth(shardCount);
  return Array.from({ length: shardCount }, (_, shard) => ({
    starting: BigInt(shard) * width,
    ending: shard === shardCount - 1 ? MAX_HASH_KEY : BigInt(shard + 1) * width - 1n,
  }));
}

/** Index of the range of {@link evenRanges} that a hash key falls into. */
export function shardOfHashKey(hashKey: bigint, shardCount: number): number {
  return Math.min(Number(hashKey / rangeWidth(shardCount)), shardCount - 1);
}

/** `shardId-000000000003` for the fourth shard. */
export function shardIdOf(shard: number): string {
  return `shardId-${String(shard).padStart(12, '0')}`;
}
