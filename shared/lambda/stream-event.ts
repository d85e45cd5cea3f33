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
