import {
  GetQueueUrlCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { DeadLetter } from '../core/dead-letter.ts';
import { chunks } from './chunks.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from './retry.ts';

/** Bodies and attributes of a batch together. */
const BATCH = { count: 10, bytes: 1_048_576 } as const;
const ATTRIBUTES_BYTES = 200;
const REMEMBERED = 10_000;

interface Letter {
  readonly letter: DeadLetter;
  readonly body: string;
}

/**
 * Where records go that no retry can mend.
 *
 * A batch replays from its lowest failure, its dead letters with it: those that this container sent already are not
 * sent twice. After a change of container they are, under the same stream and sequence number.
 *
 * @see Amazon SQS API Reference, SendMessageBatch
 */
export const deadLetterQueue = (
  client: Pick<SQSClient, 'send'>,
  queueName: string,
  tools: RetryTools,
) => {
  const sent = new Set<string>();
  let url: string | undefined;

  const queueUrl = async (): Promise<string> => {
    if (url !== undefined) return url;
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: queueName }));
    if (QueueUrl === undefined) throw new Error(`the queue ${queueName} has no URL`);
    url = QueueUrl;
    return url;
  };

  const sendOnce = async (letters: readonly Letter[]): Promise<Failure<Letter>[]> => {
    const { Successful: taken = [], Failed: failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: await queueUrl(), Entries: letters.map(entryOf) }),
    );
    for (const { Id } of taken) remember(letters[Number(Id)]);
    const reasons = new Map(failed.map(({ Id, Code }) => [Number(Id), Code]));
    const done = new Set(taken.map(({ Id }) => Number(Id)));
    return letters.flatMap((item, at) =>
      done.has(at) ? [] : [{ item, reason: reasons.get(at) ?? 'no answer' }],
    );
  };

  const remember = (taken: Letter | undefined): void => {
    if (taken !== undefined) sent.add(recordOf(taken.letter));
    const [oldest] = sent;
    if (sent.size > REMEMBERED && oldest !== undefined) sent.delete(oldest);
  };

  return {
    async send(
      letters: readonly DeadLetter[],
      timeLeft: TimeLeft,
    ): Promise<readonly Failure<DeadLetter>[]> {
      const due = letters
        .filter((letter) => !sent.has(recordOf(letter)))
        .map((letter) => ({ letter, body: JSON.stringify(letter) }));
      const fitting = due.filter((letter) => sizeOf(letter) <= BATCH.bytes);
      const failures = due
        .filter((letter) => sizeOf(letter) > BATCH.bytes)
        .map(({ letter }) => ({ item: letter, reason: 'is larger than a message of SQS' }));
      for (const run of chunks(fitting, BATCH, sizeOf)) {
        const left = await sendAll(run, sendOnce, tools, timeLeft);
        failures.push(...left.map(({ item, reason }) => ({ item: item.letter, reason })));
      }
      return failures;
    },
  };
};

const recordOf = ({ stream, sequenceNumber }: DeadLetter): string => `${stream}/${sequenceNumber}`;

const sizeOf = ({ body }: Letter): number => Buffer.byteLength(body) + ATTRIBUTES_BYTES;

const entryOf = ({ letter, body }: Letter, at: number): SendMessageBatchRequestEntry => ({
  Id: String(at),
  MessageBody: body,
  MessageAttributes: {
    function: { DataType: 'String', StringValue: letter.function },
    code: { DataType: 'String', StringValue: letter.code },
  },
});
