import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { chunks } from '../chunks.ts';
import { type Failure, failAll, type RetryTools, sendAll, type TimeLeft } from '../retry.ts';

/** One record for the stream. */
export interface Outgoing {
  /** Partition key: order is kept per key. */
  readonly key: string;
  readonly data: Uint8Array;
}

export type ReadingsStream = ReturnType<typeof readingsStream>;

/** Kinesis counts partition keys into the size of a request. */
const REQUEST = { count: 500, bytes: 5_000_000 } as const;

/** @see Kinesis Data Streams API Reference, PutRecords */
export const readingsStream = (
  client: Pick<KinesisClient, 'send'>,
  streamName: string,
  tools: RetryTools,
) => {
  const putOnce = async <Item extends Outgoing>(
    items: readonly Item[],
  ): Promise<Failure<Item>[]> => {
    const { Records: answers = [] } = await client.send(
      new PutRecordsCommand({
        StreamName: streamName,
        Records: items.map(({ key, data }) => ({ PartitionKey: key, Data: data })),
      }),
    );
    return items.flatMap((item, at) => {
      const answer = answers[at];
      if (answer?.SequenceNumber !== undefined) return [];
      return [{ item, reason: answer?.ErrorCode ?? 'no answer' }];
    });
  };

  return {
    /**
     * Puts records in order. Within one request Kinesis may refuse a record and take the next of its key; requests
     * after it hold the key's records back, so that nothing of it is passed over for longer than that.
     */
    async put<Item extends Outgoing>(
      items: readonly Item[],
      timeLeft: TimeLeft,
    ): Promise<readonly Failure<Item>[]> {
      const failures: Failure<Item>[] = [];
      const blocked = new Set<string>();
      for (const run of chunks(items, REQUEST, sizeOf)) {
        const held = run.filter(({ key }) => blocked.has(key));
        const free = held.length === 0 ? run : run.filter(({ key }) => !blocked.has(key));
        failures.push(...failAll(held, 'behind a failed record of its key'));
        for (const failure of await sendAll(free, putOnce<Item>, tools, timeLeft)) {
          failures.push(failure);
          blocked.add(failure.item.key);
        }
      }
      return failures;
    },
  };
};

const sizeOf = ({ key, data }: Outgoing): number => key.length + data.length;
