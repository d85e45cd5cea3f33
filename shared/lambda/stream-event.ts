import * as z from 'zod';
import type { Origin } from '../core/dead-letter.ts';

/** One record of a Kinesis stream as Lambda hands it over: `data` is the record's bytes in base64. */
export type StreamRecord = Origin;

const Event = z.object({
  Records: z.array(
    z.object({
      eventSourceARN: z.string(),
      kinesis: z.object({
        data: z.string(),
        partitionKey: z.string(),
        sequenceNumber: z.string().min(1),
      }),
    }),
  ),
});

/**
 * @throws {Error} naming what is not as in an event of a Kinesis event source
 * @see Lambda Developer Guide, "Using Lambda with Kinesis"
 */
export function streamRecords(event: unknown): readonly StreamRecord[] {
  const result = Event.safeParse(event);
  if (!result.success) {
    throw new Error(`not an event of a Kinesis stream: ${z.prettifyError(result.error)}`);
  }
  return result.data.Records.map(({ eventSourceARN, kinesis }) => ({
    stream: eventSourceARN.slice(eventSourceARN.lastIndexOf('/') + 1),
    partitionKey: kinesis.partitionKey,
    sequenceNumber: kinesis.sequenceNumber,
    data: kinesis.data,
  }));
}

/** Of an event, the shard it is of, and when its first and its last record arrived there. */
export interface ShardPlace {
  readonly shard: string;
  readonly firstArrivedAtMs: number;
  readonly lastArrivedAtMs: number;
}

const Places = z.object({
  Records: z.array(
    z.object({
      /** `<shard>:<sequence number>` */
      eventID: z.string(),
      kinesis: z.object({ approximateArrivalTimestamp: z.number() }),
    }),
  ),
});

/** @returns none for an event that does not say it */
export function shardPlaceOf(event: unknown): ShardPlace | undefined {
  const { data } = Places.safeParse(event);
  const first = data?.Records[0];
  const last = data?.Records.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return {
    shard: first.eventID.split(':')[0] ?? '',
    firstArrivedAtMs: Math.round(1000 * first.kinesis.approximateArrivalTimestamp),
    lastArrivedAtMs: Math.round(1000 * last.kinesis.approximateArrivalTimestamp),
  };
}
