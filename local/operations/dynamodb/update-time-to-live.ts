import * as z from 'zod';
import { TimeToLiveSpecification, tableNameOf } from '../../stores/table-store.ts';
import { type Operation, operation } from '../operation.ts';
import { API, type DynamoDbDeps, needs } from './access.ts';

export const updateTimeToLive = (deps: DynamoDbDeps): Operation =>
  operation({
    route: { target: `${API}.UpdateTimeToLive` },
    input: z.object({ TableName: z.string(), TimeToLiveSpecification }),
    needs: (input) => needs(deps, 'UpdateTimeToLive', input),
    async run({ input }) {
      const { TableName, TimeToLiveSpecification: specification } = input;
      await deps.tables.setTimeToLive(tableNameOf(TableName), specification);
      return { TimeToLiveSpecification: specification };
    },
  });
