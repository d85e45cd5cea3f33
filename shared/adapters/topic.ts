import {
  PublishBatchCommand,
  type PublishBatchRequestEntry,
  type SNSClient,
} from '@aws-sdk/client-sns';
import { chunks } from './chunks.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from './retry.ts';

/** SNS limits a batch to ten messages, and their bodies together to 256 KiB. */
const BATCH = { count: 10, bytes: 250_000 } as const;

/** One message, with a subject where people read it. */
export interface Published {
  readonly body: string;
  readonly subject?: string;
  /** What people get in place of the body, by e-mail and text message. */
  readonly sentence?: string;
  /** What subscriptions can filter by. */
  readonly attributes?: Readonly<Record<string, string | number>>;
}

export type Topic = ReturnType<typeof topic>;

function entryOf(
  { body, subject, sentence, attributes }: Published,
  at: number,
): PublishBatchRequestEntry {
  const texts = { default: body, email: sentence, sms: sentence };
  return {
    Id: String(at),
    Subject: subject,
    ...(sentence === undefined
      ? { Message: body }
      : { Message: JSON.stringify(texts), MessageStructure: 'json' }),
    ...(attributes === undefined
      ? {}
      : {
          MessageAttributes: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [
              name,
              {
                DataType: typeof value === 'number' ? 'Number' : 'String',
                StringValue: String(value),
              },
            ]),
          ),
        }),
  };
}

/** What a message may take beside its body. */
const sizeOf = ({ body, sentence, attributes }: Published): number =>
  Buffer.byteLength(JSON.stringify([body, sentence, sentence, attributes])) + 200;

/** @see Amazon SNS API Reference, PublishBatch */
export const topic = (client: Pick<SNSClient, 'send'>, tools: RetryTools) => {
  const publishOnce = async <Item extends Published>(
    arn: string,
    items: readonly Item[],
  ): Promise<Failure<Item>[]> => {
    const { Successful: taken = [], Failed: failed = [] } = await client.send(
      new PublishBatchCommand({
        TopicArn: arn,
        PublishBatchRequestEntries: items.map(entryOf),
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
      for (const run of chunks(items, BATCH, sizeOf)) {
        const send = (left: readonly Item[]) => publishOnce(arn, left);
        failures.push(...(await sendAll(run, send, tools, timeLeft)));
      }
      return failures;
    },
  };
};
