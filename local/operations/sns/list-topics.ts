import type { Operation } from '../operation.ts';
import { NextToken, pageOf, type SnsDeps, snsOperation } from './access.ts';

export const listTopics = ({ topics, region, accountId }: SnsDeps): Operation =>
  snsOperation({
    name: 'ListTopics',
    input: NextToken,
    needs: () => [{ action: 'sns:ListTopics', resource: `arn:aws:sns:${region}:${accountId}:*` }],
    run: ({ input }) => {
      const { items, next } = pageOf(topics.topics(), input.NextToken);
      return { Topics: items.map(({ arn }) => ({ TopicArn: arn })), NextToken: next };
    },
  });
