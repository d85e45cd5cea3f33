import { createHash } from 'node:crypto';
import { type KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { DeadLetter } from '../shared/core/dead-letter.ts';
import type { Envelope } from '../shared/core/envelope.ts';

/** What a walk shows of a dead letter: all but its payload. */
export type Letter = Omit<DeadLetter, 'data' | 'v'>;

export interface Report {
  readonly letters: readonly Letter[];
  /** Why letters stay in the queue: they could not be read, or not be put back on their stream. */
  readonly failures: readonly string[];
}

interface Walk {
  readonly queue: 'dead-letters' | 'error-actions';
  readonly max: number;
  readonly wanted: (letter: Letter) => boolean;
  /** Whether letters go back on their stream, or are only shown. */
  readonly send: boolean;
}

/** While a walk holds a message, nobody else sees it. */
const HELD_SECONDS = 60;

/** @see IoT Core Developer Guide, "Error handling (error action)": neither principal nor time is among the members. */
const ErrorAction = z.object({
  ruleName: z.string(),
  topic: z.string(),
  clientId: z.string().default('n/a'),
  base64OriginalPayload: z.string(),
  failures: z.array(z.object({ failedAction: z.string(), errorMessage: z.string() })).default([]),
});

/**
 * The dead letters of a stage. Sending one back is idempotent: ids come from what is inside it, and a crash
 * between the put and the delete only sends it twice.
 */
export const openDeadLetters = ({
  sqs,
  kinesis,
  stage,
}: {
  sqs: SQSClient;
  kinesis: KinesisClient;
  stage: string;
}) => ({
  async walk({ queue, max, wanted, send }: Walk): Promise<Report> {
    const name = `tributary-${stage}-${queue}`;
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    const letters: Letter[] = [];
    const failures: string[] = [];
    const read = queue === 'dead-letters' ? deadLetterOf : errorActionOf;
    const held: string[] = [];
    for await (const message of messages(sqs, QueueUrl, max)) {
      const { MessageId = '', ReceiptHandle = '' } = message;
      held.push(ReceiptHandle);
      try {
        const { data, v: _, ...letter } = read(message, stage);
        if (!wanted(letter)) continue;
        letters.push(letter);
        if (!send) continue;
        await (letter.isQueue === true ? sendBack(sqs, letter, data) : put(kinesis, letter, data));
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        held.pop();
      } catch (error) {
        failures.push(`message ${MessageId}: ${reasonOf(error)}`);
      }
    }
    await Promise.all(held.map((handle) => release(sqs, QueueUrl, handle)));
    return { letters, failures };
  },
});

/** Lets others see a message again that was only looked at. */
const release = (sqs: SQSClient, QueueUrl: string | undefined, ReceiptHandle: string) =>
  sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));

const reasonOf = (error: unknown): string => {
  if (error instanceof z.ZodError) return `is no dead letter: ${z.prettifyError(error)}`;
  return error instanceof Error ? error.message : String(error);
};

/** Each message of the queue once, at most `max`, until a receive comes back empty. */
async function* messages(
  sqs: SQSClient,
  queueUrl: string | undefined,
  max: number,
): AsyncGenerator<Message> {
  let left = max;
  while (left > 0) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(10, left),
        VisibilityTimeout: HELD_SECONDS,
        WaitTimeSeconds: 0,
        MessageSystemAttributeNames: ['SentTimestamp'],
      }),
    );
    if (Messages.length === 0) return;
    left -= Messages.length;
    yield* Messages;
  }
}

const put = (kinesis: KinesisClient, { stream, partitionKey }: Letter, data: string) =>
  kinesis.send(
    new PutRecordCommand({
      StreamName: stream,
      PartitionKey: partitionKey,
      Data: Buffer.from(data, 'base64'),
    }),
  );

/** To the queue it came from, as it came. */
async function sendBack(sqs: SQSClient, { stream: QueueName }: Letter, data: string) {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const MessageBody = Buffer.from(data, 'base64').toString();
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
}

const deadLetterOf = ({ Body = '' }: Message): DeadLetter => DeadLetter.parse(JSON.parse(Body));

/** The envelope that the telemetry rule would have written, as far as its error action knows it. */
function errorActionOf(
  { Body = '', MessageId = '', Attributes }: Message,
  stage: string,
): DeadLetter {
  const { ruleName, topic, clientId, base64OriginalPayload, failures } = ErrorAction.parse(
    JSON.parse(Body),
  );
  const receivedAtMs = Number(Attributes?.SentTimestamp ?? 0);
  const envelope: Envelope = {
    v: 1,
    source: 'telemetry',
    data: base64OriginalPayload,
    topic,
    principal: 'unrecorded',
    clientId,
    receivedAtMs,
    messageId: createHash('sha256').update(MessageId).digest('hex').slice(0, 32),
  };
  return {
    v: 1,
    function: ruleName,
    code: 'ERROR_ACTION',
    issues: failures.map(({ failedAction, errorMessage }) => `${failedAction}: ${errorMessage}`),
    stream: `tributary-${stage}-uplinks`,
    partitionKey: topic.split('/')[2] ?? topic,
    data: Buffer.from(JSON.stringify(envelope)).toString('base64'),
    sequenceNumber: MessageId,
    failedAtMs: receivedAtMs,
  };
}
