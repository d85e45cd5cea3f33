import * as z from 'zod';
import { sqsError } from '../../stores/queue/error.ts';
import type { Message, MessageAttribute } from '../../stores/queue-store.ts';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, receiveNeeds, type SqsDeps, sqsOperation } from './access.ts';
import { attributesMd5, md5 } from './checksum.ts';

const Input = z.object({
  QueueUrl,
  MaxNumberOfMessages: z.int().optional(),
  VisibilityTimeout: z.int().optional(),
  WaitTimeSeconds: z.int().optional(),
  AttributeNames: z.array(z.string()).default([]),
  MessageSystemAttributeNames: z.array(z.string()).default([]),
  MessageAttributeNames: z.array(z.string()).default([]),
});
type Input = z.infer<typeof Input>;

export const receiveMessage = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'ReceiveMessage',
    input: Input,
    needs: (input) => receiveNeeds(deps, input.QueueUrl),
    async run({ input }) {
      const { VisibilityTimeout, WaitTimeSeconds } = input;
      checkRange('MaxNumberOfMessages', input.MaxNumberOfMessages, 1, 10);
      checkRange('VisibilityTimeout', VisibilityTimeout, 0, 43_200);
      checkRange('WaitTimeSeconds', WaitTimeSeconds, 0, 20);
      const messages = await deps.queues.receive(queueNameOf(input.QueueUrl), {
        max: input.MaxNumberOfMessages ?? 1,
        ...(VisibilityTimeout !== undefined && { visibilityTimeout: VisibilityTimeout }),
        ...(WaitTimeSeconds !== undefined && { waitSeconds: WaitTimeSeconds }),
      });
      return messages.length === 0
        ? {}
        : { Messages: messages.map((message) => asAnswered(message, input)) };
    },
  });

function checkRange(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (value >= min && value <= max)) return;
  throw sqsError(
    'InvalidParameterValue',
    `Value ${value} for parameter ${name} is invalid. Reason: Must be >= ${min} and <= ${max}.`,
  );
}

function asAnswered(message: Message, input: Input) {
  const systemNames = [...input.AttributeNames, ...input.MessageSystemAttributeNames];
  const system = select(message.systemAttributes, systemNames);
  const attributes = select<MessageAttribute>(message.attributes, input.MessageAttributeNames);
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: md5(message.body),
    ...(Object.keys(system).length > 0 && { Attributes: system }),
    ...(Object.keys(attributes).length > 0 && {
      MessageAttributes: attributes,
      MD5OfMessageAttributes: attributesMd5(attributes),
    }),
  };
}

/** `All`, `.*` and `prefix.*` stand for several names. */
function select<Value>(
  values: Readonly<Record<string, Value>>,
  wanted: readonly string[],
): Record<string, Value> {
  const isWanted = (name: string) =>
    wanted.some(
      (pattern) =>
        pattern === 'All' ||
        pattern === name ||
        (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -2))),
    );
  return Object.fromEntries(Object.entries(values).filter(([name]) => isWanted(name)));
}
