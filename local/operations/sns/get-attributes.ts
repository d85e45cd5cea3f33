import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type SnsDeps, snsOperation } from './access.ts';

export const getTopicAttributes = ({ topics, accountId }: SnsDeps): Operation =>
  snsOperation({
    name: 'GetTopicAttributes',
    input: z.object({ TopicArn: z.string() }),
    needs: ({ TopicArn }) => [{ action: 'sns:GetTopicAttributes', resource: TopicArn }],
    run: ({ input: { TopicArn } }) => {
      const { arn, displayName, keyArn } = topics.topic(TopicArn);
      const confirmed = topics.subscriptions(arn).length;
      const attributes = {
        TopicArn: arn,
        Owner: accountId,
        DisplayName: displayName,
        SubscriptionsConfirmed: String(confirmed),
        SubscriptionsPending: '0',
        SubscriptionsDeleted: '0',
        ...(keyArn !== undefined && { KmsMasterKeyId: keyArn }),
      };
      return { Attributes: new Map(Object.entries(attributes)) };
    },
  });

export const getSubscriptionAttributes = ({ topics, accountId }: SnsDeps): Operation =>
  snsOperation({
    name: 'GetSubscriptionAttributes',
    input: z.object({ SubscriptionArn: z.string() }),
    needs: ({ SubscriptionArn }) => [
      { action: 'sns:GetSubscriptionAttributes', resource: topicOf(SubscriptionArn) },
    ],
    run: ({ input: { SubscriptionArn } }) => {
      const { arn, topicArn, protocol, endpoint, raw } = topics.subscription(SubscriptionArn);
      const attributes = {
        SubscriptionArn: arn,
        TopicArn: topicArn,
        Owner: accountId,
        Protocol: protocol,
        Endpoint: endpoint,
        RawMessageDelivery: String(raw),
        PendingConfirmation: 'false',
        ConfirmationWasAuthenticated: 'true',
      };
      return { Attributes: new Map(Object.entries(attributes)) };
    },
  });

/** A subscription's ARN is its topic's with an id behind it. */
const topicOf = (subscriptionArn: string): string =>
  subscriptionArn.split(':').slice(0, 6).join(':');
