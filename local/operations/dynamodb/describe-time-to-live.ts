import * as z from 'zod';
import { tableNameOf } from '../../stores/table-store.ts';
import { type Operation, operation } from '../operation.ts';
import { API, type DynamoDbDeps, needs } from './access.ts';

export const describeTimeToLive = (deps: DynamoDbDeps): Operation =>
  operation({
    route: { target: `${API}.DescribeTimeToLive` },
    input: z.object({ TableName: z.string() }),
    needs: (input) => needs(deps, 'DescribeTimeToLive', input),
    async run({ input }) {
      const attribute = await deps.tables.timeToLive(tableNameOf(input.TableName));
      return {
        TimeToLiveDescription:
          attribute === undefined
            ? { TimeToLiveStatus: 'DISABLED' }
            : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute },
      };
    },
  });
