import type { BatchResponse, Invocation } from '../../shared/lambda/batch.ts';
import type { StreamEntry } from './fake-aws.ts';
import { streamRecord } from './stream-events.ts';

type Handler = (event: unknown, invocation: Invocation) => Promise<BatchResponse>;

const ATTEMPTS_LIMIT = 2_000;

/**
 * Feeds a stream to a handler as Lambda's event source does, one shard: batch by batch; on partial failure again from
 * the lowest failed sequence number; on an error the whole batch again; and, as delivery is at least once, now and
 * then a batch again that had succeeded.
 *
 * @param handler  asked for before each invocation, as a container may have died
 * @returns where the next drain goes on
 */
export async function drain(
  stream: string,
  entries: readonly StreamEntry[],
  from: number,
  handler: () => Handler,
  random: () => number,
): Promise<number> {
  let checkpoint = from;
  for (let attempt = 0; checkpoint < entries.length; attempt += 1) {
    if (attempt > ATTEMPTS_LIMIT) throw new Error(`${stream} does not get on behind ${checkpoint}`);
    const size = 1 + Math.floor(random() * 100);
    const records = entries.slice(checkpoint, checkpoint + size).map((entry, at) =>
      streamRecord(stream, String(checkpoint + at), {
        partitionKey: entry.partitionKey,
        data: entry.data,
      }),
    );
    const failed = await invoke(handler(), { Records: records });
    if (failed === undefined) continue;
    const next = failed.length === 0 ? checkpoint + records.length : Math.min(...failed);
    if (next < checkpoint) throw new Error(`${stream} was told to go back behind its batch`);
    if (failed.length > 0 || random() > 0.1) checkpoint = next;
  }
  return checkpoint;
}

async function invoke(handler: Handler, event: unknown): Promise<number[] | undefined> {
  try {
    const { batchItemFailures } = await handler(event, { getRemainingTimeInMillis: () => 30_000 });
    return batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier));
  } catch {
    return undefined;
  }
}
