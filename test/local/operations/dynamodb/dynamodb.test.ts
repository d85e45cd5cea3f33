import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ResourceNotFoundException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from '@jest/globals';
import { dynamoDbOperations, needs } from '../../../../local/operations/dynamodb/index.ts';
import { createTableStore } from '../../../../local/stores/table-store.ts';
import { ACCOUNT, clientOf, FUNCTION_KEY, REGION, serve } from '../endpoint.ts';

const TableName = 'tributary-dev-readings';
const TABLE_ARN = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${TableName}`;
const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/k1`;

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function setup(options: Parameters<typeof serve>[1] = {}) {
  const tables = await createTableStore({ accountId: ACCOUNT, region: REGION });
  await tables.create({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'fleet'].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by-fleet',
        KeySchema: [{ AttributeName: 'fleet', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: KEY_ARN },
  });
  const deps = { tables, accountId: ACCOUNT, region: REGION };
  const server = await serve(dynamoDbOperations(deps), options);
  const db = new DynamoDBClient(clientOf(server.url));
  const asFunction = new DynamoDBClient(clientOf(server.url, FUNCTION_KEY));
  cleanUps.push(async () => {
    db.destroy();
    asFunction.destroy();
    await server.close();
    await tables.close();
  });
  return { db, asFunction, deps, needs: server.needs };
}

const item = (sk: string) => ({ pk: { S: 'a' }, sk: { S: sk }, fleet: { S: 'north' } });

describe('items', () => {
  it('are put, updated on condition, and read by key and by index', async () => {
    const { db } = await setup();
    await db.send(new PutItemCommand({ TableName, Item: item('1') }));
    const newer = (at: string) =>
      db.send(
        new UpdateItemCommand({
          TableName,
          Key: { pk: { S: 'a' }, sk: { S: '1' } },
          UpdateExpression: 'SET observedAt = :at',
          ConditionExpression: 'attribute_not_exists(observedAt) OR observedAt < :at',
          ExpressionAttributeValues: { ':at': { N: at } },
        }),
      );
    await newer('2');
    await expect(newer('1')).rejects.toBeInstanceOf(ConditionalCheckFailedException);
    const { Item } = await db.send(
      new GetItemCommand({ TableName, Key: { pk: { S: 'a' }, sk: { S: '1' } } }),
    );
    expect(Item?.['observedAt']).toEqual({ N: '2' });
    const { Items } = await db.send(
      new QueryCommand({
        TableName,
        IndexName: 'by-fleet',
        KeyConditionExpression: 'fleet = :fleet',
        ExpressionAttributeValues: { ':fleet': { S: 'north' } },
      }),
    );
    expect(Items).toHaveLength(1);
  });

  it('go in batches, of which an injected fault leaves some unprocessed', async () => {
    const faults = ({ target }: { target: string }) =>
      target.includes('Batch') ? { failIndexes: [1] } : undefined;
    const { db } = await setup({ faults });
    const writes = ['1', '2', '3'].map((sk) => ({ PutRequest: { Item: item(sk) } }));
    const { UnprocessedItems } = await db.send(
      new BatchWriteItemCommand({ RequestItems: { [TableName]: writes } }),
    );
    expect(UnprocessedItems).toEqual({ [TableName]: [writes[1]] });
    const Keys = ['1', '2', '3'].map((sk) => ({ pk: { S: 'a' }, sk: { S: sk } }));
    const { Responses, UnprocessedKeys } = await db.send(
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys, ConsistentRead: true } } }),
    );
    expect(Responses?.[TableName]?.map(({ sk }) => sk?.S).sort()).toEqual(['1', '3']);
    expect(UnprocessedKeys).toEqual({ [TableName]: { Keys: [Keys[1]], ConsistentRead: true } });
  });
});

describe('tables', () => {
  it('are listed and described, and exist for the SDK’s waiter', async () => {
    const { db } = await setup();
    expect((await db.send(new ListTablesCommand({}))).TableNames).toEqual([TableName]);
    const { Table } = await db.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({
      TableArn: TABLE_ARN,
      SSEDescription: { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: KEY_ARN },
    });
    await waitUntilTableExists({ client: db, maxWaitTime: 30 }, { TableName });
  });

  it('say truly whether their items expire', async () => {
    const { db } = await setup();
    const describeTtl = async () =>
      (await db.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription;
    expect(await describeTtl()).toEqual({ TimeToLiveStatus: 'DISABLED' });
    const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expiresAt' };
    await db.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
    expect(await describeTtl()).toEqual({
      TimeToLiveStatus: 'ENABLED',
      AttributeName: 'expiresAt',
    });
  });

  it('nobody made are not found', async () => {
    const { db } = await setup();
    const describeNobody = db.send(new DescribeTableCommand({ TableName: 'nobody' }));
    await expect(describeNobody).rejects.toBeInstanceOf(ResourceNotFoundException);
  });
});

describe('what the laptop lacks is refused by name', () => {
  it.each([
    {
      what: 'transactions',
      call: (db: DynamoDBClient) =>
        db.send(
          new TransactWriteItemsCommand({
            TransactItems: [{ Put: { TableName, Item: item('1') } }],
          }),
        ),
    },
    {
      what: 'PartiQL',
      call: (db: DynamoDBClient) => db.send(new ExecuteStatementCommand({ Statement: 'SELECT 1' })),
    },
    {
      what: 'ReturnValuesOnConditionCheckFailure',
      call: (db: DynamoDBClient) =>
        db.send(
          new PutItemCommand({
            TableName,
            Item: item('1'),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
    },
  ])('$what', async ({ what, call }) => {
    const { db } = await setup();
    await expect(call(db)).rejects.toThrow(what);
  });
});

describe('a function', () => {
  it('needs the action on the table, and the table’s key', async () => {
    const { asFunction, needs: asked } = await setup();
    await asFunction.send(new PutItemCommand({ TableName, Item: item('1') }));
    expect(asked).toEqual([
      { action: 'dynamodb:PutItem', resource: TABLE_ARN },
      {
        action: 'kms:Decrypt',
        resource: KEY_ARN,
        context: expect.objectContaining({
          'kms:ViaService': `dynamodb.${REGION}.amazonaws.com`,
          'kms:EncryptionContext:aws:dynamodb:tableName': TableName,
        }),
      },
    ]);
  });

  it.each(['dynamodb:PutItem', 'kms:Decrypt'])('without %s is refused, by name', async (denied) => {
    const { asFunction } = await setup({ denied: [denied] });
    const put = asFunction.send(new PutItemCommand({ TableName, Item: item('1') }));
    await expect(put).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(denied),
    });
  });

  it.each([
    {
      call: 'Query',
      input: { TableName, IndexName: 'by-fleet' },
      on: [`${TABLE_ARN}/index/by-fleet`],
    },
    { call: 'GetItem', input: { TableName: TABLE_ARN }, on: [TABLE_ARN] },
    {
      call: 'BatchWriteItem',
      input: { RequestItems: { [TableName]: [], other: [] } },
      on: [TABLE_ARN, `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/other`],
    },
    { call: 'ListTables', input: {}, on: [`arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/*`] },
    { call: 'TagResource', input: { ResourceArn: TABLE_ARN }, on: [TABLE_ARN] },
  ])('needs dynamodb:$call on $on', async ({ call, input, on }) => {
    const { deps } = await setup();
    const resources = needs(deps, call, input)
      .filter(({ action }) => action === `dynamodb:${call}`)
      .map(({ resource }) => resource);
    expect(resources).toEqual(on);
  });
});
