import * as z from 'zod';
import type { Subscription } from '../../stores/topic-store.ts';
import type { Operation } from '../operation.ts';
import { NextToken, pageOf, type SnsDeps, snsOperation } from './access.ts';

export const listSubscriptions = ({ topics, region, accountId }: SnsDeps): Operation =>
  snsOperation({
    name: 'ListSubscriptions',
    input: NextToken,
    needs: () => [
      { action: 'sns:ListSubscriptions', resource: `arn:aws:sns:${region}:${accountId}:*` },
    ],
    run: ({ input }) => subscriptionPage(topics.subscriptions(), input.NextToken, accountId),
  });

export const listSubscriptionsByTopic = ({ topics, accountId }: SnsDeps): Operation =>
  snsOperation({
    name: 'ListSubscriptionsByTopic',
    input: NextToken.extend({ TopicArn: z.string() }),
    needs: ({ TopicArn }) => [{ action: 'sns:ListSubscriptionsByTopic', resource: TopicArn }],
    run: ({ input: { TopicArn, NextToken: token } }) => {
      topics.topic(TopicArn);
      return subscriptionPage(topics.subscriptions(TopicArn), token, accountId);
    },
  });

function subscriptionPage(
  subscriptions: readonly Subscription[],
  token: string | undefined,
  accountId: string,
) {
  const { items, next } = pageOf(subscriptions, token);
  return {
    Subscriptions: items.map(({ arn, topicArn, protocol, endpoint }) => ({
      SubscriptionArn: arn,
      Owner: accountId,
      Protocol: protocol,
      Endpoint: endpoint,
      TopicArn: topicArn,
    })),
    NextToken: next,
  };
}
