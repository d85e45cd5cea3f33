import * as z from 'zod';

/** One message of an SQS queue as Lambda hands it over. */
export interface QueueMessage {
  readonly id: string;
  readonly body: string;
  /** Whose queue it is. */
  readonly accountId: string;
  /** Its name. */
  readonly queue: string;
}

const Event = z.object({
  Records: z.array(
    z.object({ messageId: z.string().min(1), body: z.string(), eventSourceARN: z.string() }),
  ),
});

/**
 * @throws {Error} naming what is not as in an event of a queue
 * @see Lambda Developer Guide, "Using Lambda with Amazon SQS"
 */
export function queueMessages(event: unknown): readonly QueueMessage[] {
  const result = Event.safeParse(event);
  if (!result.success) {
    throw new Error(`not an event of a queue: ${z.prettifyError(result.error)}`);
  }
  return result.data.Records.map(({ messageId, body, eventSourceARN }) => ({
    id: messageId,
    body,
    accountId: eventSourceARN.split(':')[4] ?? '',
    queue: eventSourceARN.split(':')[5] ?? '',
  }));
}
