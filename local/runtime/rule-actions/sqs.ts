import * as z from 'zod';
import { type ActionKind, textOf } from './action.ts';

const Declaration = z.strictObject({
  QueueUrl: z.string().min(1),
  UseBase64: z.boolean().default(false),
  RoleArn: z.string(),
});

/** @see IoT Core Developer Guide, SQS action (standard queues only) */
export const sqs: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ QueueUrl, UseBase64, RoleArn }, { parameter, service }) {
    const sendMessage = service('AmazonSQS.SendMessage');
    const queueUrl = parameter(QueueUrl);
    return {
      name: 'SqsAction',
      resource: QueueUrl,
      async prepare(turn) {
        const resource = await queueUrl(turn);
        const attempt = () => {
          const MessageBody = UseBase64
            ? Buffer.from(turn.payload).toString('base64')
            : textOf(turn);
          return sendMessage(RoleArn, { QueueUrl: resource, MessageBody });
        };
        return { resource, attempt };
      },
    };
  },
};
