import * as z from 'zod';
import type { Publish } from '../../runtime/topics/publisher.ts';
import type { TopicStore } from '../../stores/topic-store.ts';
import { type Need, type Operation, operation } from '../operation.ts';

/** What SNS's operations work on. */
export interface SnsDeps {
  readonly topics: TopicStore;
  readonly publish: Publish;
  readonly accountId: string;
  readonly region: string;
}

/** One of SNS's operations, over AWS's query protocol. */
export const snsOperation = <Input>({
  name,
  ...definition
}: Omit<Operation<Input>, 'route'> & { readonly name: string }): Operation =>
  operation({
    ...definition,
    route: {
      service: 'sns',
      action: name,
      xmlNamespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
    },
    invalidInputCode: 'InvalidParameter',
    denialCode: ({ action }) =>
      action.startsWith('kms:') ? 'KMSAccessDenied' : 'AuthorizationError',
  });

/** What publishing asks of the publisher; an encrypted topic makes a data key for what it takes. */
export function publishNeeds({ topics, region }: SnsDeps, topicArn: string): Need[] {
  const { keyArn } = topics.topic(topicArn);
  const publish = { action: 'sns:Publish', resource: topicArn };
  if (keyArn === undefined) return [publish];
  const context = {
    'kms:ViaService': `sns.${region}.amazonaws.com`,
    'kms:EncryptionContext:aws:sns:topicArn': topicArn,
  };
  const key = ['kms:GenerateDataKey', 'kms:Decrypt'].map((action) => ({
    action,
    resource: keyArn,
    context,
  }));
  return [publish, ...key];
}

const Attribute = z.strictObject({
  DataType: z
    .string()
    .regex(/^(?:String(?:\.Array)?|Number|Binary)$/, 'String, String.Array, Number or Binary'),
  StringValue: z.string().min(1).optional(),
  BinaryValue: z.base64().min(1).optional(),
});

/** The query protocol writes a map as `entry.1.Name`, `entry.1.Value`. */
export const MessageAttributes = z
  .object({
    entry: z.record(
      z.string(),
      z.strictObject({
        Name: z.string().regex(/^(?!AWS\.|Amazon\.)[A-Za-z0-9_.-]{1,256}$/i, 'no attribute name'),
        Value: Attribute.refine(
          ({ DataType, StringValue, BinaryValue }) =>
            (DataType === 'Binary' ? BinaryValue : StringValue) !== undefined,
          'no value of its type',
        ),
      }),
    ),
  })
  .transform(({ entry }) =>
    Object.fromEntries(Object.values(entry).map(({ Name, Value }) => [Name, Value])),
  );

export const MessageStructure = z.literal('json', 'json is the only structure there is').optional();

/** Lists in pages of a hundred. */
export const NextToken = z.object({ NextToken: z.string().regex(/^\d+$/).optional() });

const PAGE = 100;

export function pageOf<T>(items: readonly T[], nextToken: string | undefined) {
  const from = Number(nextToken ?? 0);
  const more = items.length > from + PAGE;
  return {
    items: items.slice(from, from + PAGE),
    ...(more && { next: String(from + PAGE) }),
  };
}
