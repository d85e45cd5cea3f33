const MARK = '49';
const INDEX_DIGITS = 36;
const LAYOUT = /^49(\d{13})(\d{5})(\d{36})$/;

/** Where a record lies: the incarnation of its stream, its shard, and its place in that shard. */
export interface RecordPlace {
  readonly createdAtMs: number;
  readonly shard: number;
  readonly index: number;
}

/** The digits that all sequence numbers of one shard begin with. */
export function sequencePrefix(createdAtMs: number, shard: number): string {
  return `${MARK}${String(createdAtMs).padStart(13, '0')}${String(shard).padStart(5, '0')}`;
}

/**
 * A sequence number of 56 decimal digits, as long as those of Kinesis: too long for a double or a
 * 64-bit integer, so a consumer that treats it as one is found out here. It grows with the index
 * within a shard, and a stream made anew under an old name continues above its predecessor.
 */
export function sequenceNumber(prefix: string, index: number): string {
  return prefix + String(index).padStart(INDEX_DIGITS, '0');
}

/** @returns undefined when the text is no sequence number of {@link sequenceNumber}. */
export function parseSequenceNumber(text: string): RecordPlace | undefined {
  const [, createdAtMs, shard, index] = LAYOUT.exec(text) ?? [];
  const place = {
    createdAtMs: Number(createdAtMs),
    shard: Number(shard),
    index: Number(index),
  };
  return Number.isSafeInteger(place.index) ? place : undefined;
}
