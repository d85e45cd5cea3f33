import { SHARD_RATES } from '../../core/kinesis/limits.ts';
import { type Bucket, fullBucket, refill, spend } from '../../core/kinesis/throughput.ts';
import { AwsError } from '../operation.ts';

interface ShardReads {
  reads: Bucket;
  bytes: Bucket;
}

/** Five reads and 2 MiB a second and shard; a large answer is given and then paid off. */
export function createReadThrottle(enabled: boolean, now: () => number) {
  const shards = new Map<string, ShardReads>();
  const full = (nowMs: number): ShardReads => ({
    reads: fullBucket(SHARD_RATES.readsOut, nowMs),
    bytes: fullBucket(SHARD_RATES.bytesOut, nowMs),
  });

  return {
    /**
     * @returns a function to tell the bytes of the answer to
     * @throws  {AwsError} `ProvisionedThroughputExceededException`
     */
    admit(stream: string, shardId: string): (bytes: number) => void {
      if (!enabled) return () => undefined;
      const key = `${stream}/${shardId}`;
      const nowMs = now();
      const shard = shards.get(key) ?? full(nowMs);
      shards.set(key, shard);
      shard.reads = refill(shard.reads, SHARD_RATES.readsOut, nowMs);
      shard.bytes = refill(shard.bytes, SHARD_RATES.bytesOut, nowMs);
      if (shard.reads.level < 1 || shard.bytes.level <= 0) throw exceeded(stream, shardId);
      shard.reads = spend(shard.reads, 1);
      return (bytes) => {
        shard.bytes = spend(shard.bytes, bytes);
      };
    },
  };
}

const exceeded = (stream: string, shardId: string): AwsError =>
  new AwsError(
    'ProvisionedThroughputExceededException',
    `Rate exceeded for shard ${shardId} in stream ${stream}: it gives 5 reads and 2 MiB a second.`,
  );
