import { evenRanges } from '../../core/kinesis/hash-key.ts';
import type { StreamStore } from '../../stores/stream-store.ts';

/** The shards of a stream as the API describes them, those behind `afterShardId`, at most `limit`. */
export function shardPage(
  streams: StreamStore,
  name: string,
  afterShardId: string | undefined,
  limit: number,
) {
  const ids = streams.shards(name);
  const ranges = evenRanges(ids.length);
  const shards = ids.flatMap((ShardId, at) => {
    const range = ranges[at];
    if (range === undefined || (afterShardId !== undefined && ShardId <= afterShardId)) return [];
    return {
      ShardId,
      HashKeyRange: {
        StartingHashKey: String(range.starting),
        EndingHashKey: String(range.ending),
      },
      SequenceNumberRange: { StartingSequenceNumber: streams.startingSequence(name, ShardId) },
    };
  });
  return { shards: shards.slice(0, limit), more: shards.length > limit };
}
