import * as z from 'zod';
import type { Operation } from '../operation.ts';
import {
  MessageAttributes,
  MessageStructure,
  publishNeeds,
  type SnsDeps,
  snsOperation,
} from './access.ts';

const Input = z
  .strictObject({
    TopicArn: z.string().optional(),
    TargetArn: z.string().optional(),
    PhoneNumber: z.undefined('the laptop sends no text messages').optional(),
    Message: z.string(),
    Subject: z.string().optional(),
    MessageStructure,
    MessageAttributes: MessageAttributes.optional(),
    MessageDeduplicationId: z.undefined('the laptop has standard topics only').optional(),
    MessageGroupId: z.undefined('the laptop has standard topics only').optional(),
  })
  .refine(
    ({ TopicArn, TargetArn }) => (TopicArn === undefined) !== (TargetArn === undefined),
    'TopicArn or TargetArn, one of them',
  )
  .transform(({ TopicArn, TargetArn, ...rest }) => ({
    topicArn: TopicArn ?? TargetArn ?? '',
    ...rest,
  }));

export const publish = (deps: SnsDeps): Operation =>
  snsOperation({
    name: 'Publish',
    input: Input,
    needs: ({ topicArn }) => publishNeeds(deps, topicArn),
    run: ({ input }) => ({
      MessageId: deps.publish(input.topicArn, {
        message: input.Message,
        perProtocol: input.MessageStructure === 'json',
        subject: input.Subject,
        attributes: input.MessageAttributes,
      }),
    }),
  });
