/**
 * Whether a record comes behind another of its shard, or of the shards that one was split from.
 *
 * @param sequence  decimal, of any length; an empty one is before all
 * @see Amazon Kinesis Data Streams Developer Guide, "Sequence number"
 */
export const isAfter = (sequence: string, other: string): boolean =>
  sequence.length === other.length ? sequence > other : sequence.length > other.length;
