import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns';
import { chunks } from './chunks.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from './retry.ts';

/** SNS limits a batch to ten messages, and their bodies together to 256 KiB. */
const BATCH = { count: 10, bytes: 250_000 } as const;

/** One message, with a subject where people read it. */
export interface Published {
  readonly body: string;
  readonly subject?: string;
}

export type Topic = ReturnType<typeof topic>;

/** @see Amazon SNS API Reference, PublishBatch */
export const topic = (client: Pick<SNSClient, 'send'>, tools: RetryTools) => {
  const publishOnce = async <Item extends Published>(
    arn: string,
    items: readonly Item[],
  ): Promise<Failure<Item>[]> => {
    const { Successful: taken = [], Failed: failed = [] } = await client.send(
      new PublishBatchCommand({
        TopicArn: arn,
        PublishBatchRequestEntries: items.map(({ body, subject }, at) => ({
          Id: String(at),
          Message: body,
          Subject: subject,
        })),
      }),
    );
    const done = new Set(taken.map(({ Id }) => Number(Id)));
    const reasons = new Map(failed.map(({ Id, Code }) => [Number(Id), Code]));
    return items.flatMap((item, at) =>
      done.has(at) ? [] : [{ item, reason: reasons.get(at) ?? 'no answer' }],
    );
  };

  return {
    async publish<Item extends Published>(
      arn: string,
      items: readonly Item[],
      timeLeft: TimeLeft,
    ): Promise<readonly Failure<Item>[]> {
      const failures: Failure<Item>[] = [];
      for (const run of chunks(items, BATCH, ({ body }) => Buffer.byteLength(body) + 200)) {
        const send = (left: readonly Item[]) => publishOnce(arn, left);
        failures.push(...(await sendAll(run, send, tools, timeLeft)));
      }
      return failures;
    },
  };
};
