import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDbOperations } from '../../local/operations/dynamodb/index.ts';
import { createTableStore } from '../../local/stores/table-store.ts';
import { ACCOUNT, clientOf, REGION, serve } from '../local/operations/endpoint.ts';

const string = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
const index = (IndexName: string, hash: string, range: string, ProjectionType: string) => ({
  IndexName,
  KeySchema: [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ],
  Projection: { ProjectionType },
});
const TABLES = [
  {
    name: 'detection',
    attribute: 'pending',
    indexes: [index('pending', 'pending', 'pk', 'KEYS_ONLY')],
  },
  {
    name: 'anomalies',
    attribute: 'fleetState',
    indexes: [index('byFleet', 'fleetState', 'sk', 'ALL')],
  },
  { name: 'detection-settings' },
];

/** The tables of detection, as `resources/detection.yml` declares them, behind a real engine. */
export async function openDetectionTables() {
  const tables = await createTableStore({ accountId: ACCOUNT, region: REGION });
  for (const { name, attribute, indexes } of TABLES) {
    await tables.create({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', ...(attribute === undefined ? [] : [attribute])].map(
        string,
      ),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      ...(indexes === undefined ? {} : { GlobalSecondaryIndexes: indexes }),
    });
  }
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
