import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDbOperations } from '../../local/operations/dynamodb/index.ts';
import { createTableStore } from '../../local/stores/table-store.ts';
import { ACCOUNT, clientOf, REGION, serve } from '../local/operations/endpoint.ts';

const keys = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: 'HASH' },
  { AttributeName: range, KeyType: 'RANGE' },
];

/**
 * A table under the conditions of a real engine, named `table`.
 *
 * @param range  of the index `due`: `dueOrder` of incidents, `latestMs` of what guard keeps
 */
export async function openSecurityTable(range: 'dueOrder' | 'latestMs' = 'dueOrder') {
  const tables = await createTableStore({ accountId: ACCOUNT, region: REGION });
  await tables.create({
    TableName: 'table',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'due', range].map((AttributeName) => ({
      AttributeName,
      AttributeType: AttributeName === 'latestMs' ? 'N' : 'S',
    })),
    KeySchema: keys('pk', 'sk'),
    GlobalSecondaryIndexes: [
      {
        IndexName: 'due',
        KeySchema: keys('due', range),
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  });
  const server = await serve(dynamoDbOperations({ tables, accountId: ACCOUNT, region: REGION }));
  const db = new DynamoDBClient(clientOf(server.url));
  return {
    db,
    close: async () => {
      db.destroy();
      await server.close();
      await tables.close();
    },
  };
}
