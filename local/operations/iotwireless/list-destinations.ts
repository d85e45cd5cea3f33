import { page } from '../iot/page.ts';
import type { Operation } from '../operation.ts';
import { members, pageMembers, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const listDestinations = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'ListDestinations',
    http: 'GET /destinations',
    input: members(pageMembers),
    on: () => '*',
    run: ({ NextToken, MaxResults }) => {
      const { items, next } = page(deps.destinations, ({ name }) => name, {
        token: NextToken,
        size: MaxResults,
      });
      return {
        DestinationList: items.map(({ name, arn, expression, expressionType, roleArn }) => ({
          Name: name,
          Arn: arn,
          Expression: expression,
          ExpressionType: expressionType,
          RoleArn: roleArn,
        })),
        NextToken: next,
      };
    },
  });
