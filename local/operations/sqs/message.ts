import * as z from 'zod';
import { sqsError } from '../../stores/queue/error.ts';
import { MessageAttribute } from '../../stores/queue/state.ts';
import type { OutgoingMessage } from '../../stores/queue-store.ts';
import type { Caller } from '../operation.ts';
import type { SqsDeps } from './access.ts';
import { attributesMd5, md5 } from './checksum.ts';

/** Members that SendMessage and an entry of SendMessageBatch have in common. */
export const MessageInput = z.object({
  MessageBody: z.string(),
  DelaySeconds: z.int().optional(),
  MessageAttributes: z.record(z.string(), MessageAttribute).optional(),
  MessageSystemAttributes: z.record(z.string(), MessageAttribute).optional(),
  MessageDeduplicationId: z.string().optional(),
  MessageGroupId: z.string().optional(),
});
export type MessageInput = z.infer<typeof MessageInput>;

/**
 * Puts one message in the queue.
 *
 * @returns what SendMessage answers: id and the checksums that clients compare
 * @throws {AwsError} with SQS's codes
 */
export function sendOne(
  { queues, accountId }: SqsDeps,
  queueName: string,
  input: MessageInput,
  caller: Caller,
) {
  const { MessageAttributes = {}, MessageSystemAttributes = {} } = input;
  const traceHeader = traceHeaderOf(input);
  const message: OutgoingMessage = {
    body: input.MessageBody,
    attributes: MessageAttributes,
    senderId: caller.kind === 'function' ? caller.functionName : accountId,
    ...(input.DelaySeconds !== undefined && { delaySeconds: input.DelaySeconds }),
    ...(traceHeader !== undefined && { traceHeader }),
  };
  const { messageId } = queues.send(queueName, message);
  return {
    MessageId: messageId,
    MD5OfMessageBody: md5(input.MessageBody),
    MD5OfMessageAttributes: attributesMd5(MessageAttributes),
    MD5OfMessageSystemAttributes: attributesMd5(MessageSystemAttributes),
  };
}

function traceHeaderOf(input: MessageInput): string | undefined {
  if (input.MessageGroupId !== undefined || input.MessageDeduplicationId !== undefined) {
    throw sqsError(
      'InvalidParameterValue',
      'MessageGroupId and MessageDeduplicationId: the laptop has neither FIFO nor fair queues.',
    );
  }
  const { AWSTraceHeader, ...others } = input.MessageSystemAttributes ?? {};
  const [other] = Object.keys(others);
  if (other === undefined) return AWSTraceHeader?.StringValue;
  throw sqsError('InvalidParameterValue', `${other} is no system attribute a sender may set.`);
}
