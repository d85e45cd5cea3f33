import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AwsError } from '../../../local/operations/operation.ts';
import {
  createTableStore,
  type EngineOperation,
  type Json,
  type TableStore,
} from '../../../local/stores/table-store.ts';

const NOW_S = 1_700_000_000;
const KEY_ARN = 'arn:aws:kms:eu-central-1:000000000000:key/k1';

const READINGS = {
  TableName: 'readings',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
  PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: 'alias/data' },
  Tags: [{ Key: 'stage', Value: 'dev' }],
};

const open: TableStore[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function start(directory?: string): Promise<TableStore> {
  const store = await createTableStore({
    accountId: '000000000000',
    region: 'eu-central-1',
    keyArn: () => KEY_ARN,
    ...(directory !== undefined && { directory }),
  });
  open.push(store);
  return store;
}

async function setup(properties: Json = READINGS) {
  const store = await start();
  await store.create(properties);
  const put = (sk: string, more: Json = {}) =>
    store.run('PutItem', {
      TableName: 'readings',
      Item: { pk: { S: 'a' }, sk: { S: sk }, ...more },
    });
  const keys = async () => {
    const { Items } = await store.run('Scan', { TableName: 'readings', ConsistentRead: true });
    return (Items as { sk: { S: string } }[]).map(({ sk }) => sk.S);
  };
  return { store, put, keys };
}

describe('a table of the template', () => {
  it('is there at once, with what the template says of it', async () => {
    const { store } = await setup();
    const { Table } = await store.run('DescribeTable', { TableName: 'readings' });
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: 'arn:aws:dynamodb:eu-central-1:000000000000:table/readings',
      SSEDescription: { KMSMasterKeyArn: KEY_ARN },
      DeletionProtectionEnabled: false,
    });
    expect(store.keyArnOf('readings')).toBe(KEY_ARN);
    expect(await store.timeToLive('readings')).toBe('expiresAt');
  });

  it.each(['StreamSpecification', 'KinesisStreamSpecification', 'ImportSourceSpecification'])(
    'is refused with %s, by name',
    async (name) => {
      const store = await start();
      await expect(store.create({ ...READINGS, [name]: {} })).rejects.toThrow(name);
    },
  );

  it('is not deleted while it is protected', async () => {
    const { store } = await setup({ ...READINGS, DeletionProtectionEnabled: true });
    const deletion = store.run('DeleteTable', { TableName: 'readings' });
    await expect(deletion).rejects.toThrow(/protected/);
  });

  it('may be named by its ARN', async () => {
    const { store, put } = await setup();
    await put('1');
    const TableName = 'arn:aws:dynamodb:eu-central-1:000000000000:table/readings';
    const { Count } = await store.run('Scan', { TableName });
    expect(Count).toBe(1);
  });
});

describe('conditions', () => {
  it('fail by the name that DynamoDB gives the failure', async () => {
    const { store, put } = await setup();
    await put('1');
    const again = store.run('PutItem', {
      TableName: 'readings',
      Item: { pk: { S: 'a' }, sk: { S: '1' } },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await expect(again).rejects.toMatchObject({
      code: 'ConditionalCheckFailedException',
      statusCode: 400,
    });
  });
});

describe('what the engine lacks', () => {
  const key = { pk: { S: 'a' }, sk: { S: '1' } };
  it.each<{ operation: EngineOperation; input: Json; says: RegExp }>([
    {
      operation: 'PutItem',
      input: { Item: key, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
      says: /PutItem.*ReturnValuesOnConditionCheckFailure/,
    },
    { operation: 'GetItem', input: { Key: key, Fancy: 1 }, says: /GetItem.*Fancy/ },
    {
      operation: 'PutItem',
      input: { Item: key, ReturnItemCollectionMetrics: 'SIZE' },
      says: /ReturnItemCollectionMetrics/,
    },
    {
      operation: 'PutItem',
      input: {
        Item: JSON.parse('{"pk":{"S":"a"},"sk":{"S":"1"},"m":{"M":{"__proto__":{"S":"x"}}}}'),
      },
      says: /__proto__/,
    },
    { operation: 'UpdateTable', input: { StreamSpecification: {} }, says: /StreamSpecification/ },
  ])('is refused in $operation: $says', async ({ operation, input, says }) => {
    const { store } = await setup();
    const call = store.run(operation, { TableName: 'readings', ...input });
    await expect(call).rejects.toThrow(says);
    await expect(call).rejects.toMatchObject({ code: 'ValidationException' });
  });

  it('passes where nothing is asked of it', async () => {
    const { store } = await setup();
    const put = { Item: key, ReturnValuesOnConditionCheckFailure: 'NONE' };
    await store.run('PutItem', { TableName: 'readings', ...put });
  });
});

describe('malformed calls', () => {
  it('are refused with a code of DynamoDB, whatever they hold', async () => {
    const { store } = await setup();
    const operations = fc.constantFrom<EngineOperation>(
      'GetItem',
      'PutItem',
      'Query',
      'UpdateItem',
    );
    const item = fc.dictionary(fc.constantFrom('pk', 'sk', 'a'), fc.jsonValue({ maxDepth: 2 }));
    const text = fc.oneof(fc.string(), fc.constantFrom('a = :v', 'SET a = :v', 'pk = :v'));
    const input = fc.record(
      {
        Item: item,
        Key: item,
        ConditionExpression: text,
        KeyConditionExpression: text,
        UpdateExpression: text,
        ExpressionAttributeValues: fc.record({ ':v': fc.jsonValue({ maxDepth: 2 }) }),
        Limit: fc.jsonValue({ maxDepth: 0 }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(operations, input, async (operation, members) => {
        const call = store.run(operation, { TableName: 'readings', ...members });
        const error = await call.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error === undefined || error instanceof AwsError).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('time to live', () => {
  it('deletes what is over, and nothing else', async () => {
    const { store, put, keys } = await setup();
    await put('over', { expiresAt: { N: String(NOW_S - 1) } });
    await put('to come', { expiresAt: { N: String(NOW_S + 1) } });
    await put('no number', { expiresAt: { S: '1' } });
    await put('none');
    await put('older than five years', { expiresAt: { N: '1' } });
    expect(await store.sweep(NOW_S * 1000)).toBe(1);
    expect(await keys()).toEqual(['no number', 'none', 'older than five years', 'to come']);
  });

  it('is switched off by the API, and then deletes nothing', async () => {
    const { store, put, keys } = await setup();
    await put('over', { expiresAt: { N: String(NOW_S - 1) } });
    await store.setTimeToLive('readings', { AttributeName: 'expiresAt', Enabled: false });
    expect(await store.sweep(NOW_S * 1000)).toBe(0);
    expect(await keys()).toEqual(['over']);
    expect(await store.timeToLive('readings')).toBeUndefined();
    const again = store.setTimeToLive('readings', { AttributeName: 'expiresAt', Enabled: false });
    await expect(again).rejects.toThrow(/already disabled/);
  });

  it('is asked of tables that exist', async () => {
    const { store } = await setup();
    await expect(store.timeToLive('nobody')).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });
});

describe('with a directory', () => {
  const newFolder = () => {
    const folder = mkdtempSync(join(tmpdir(), 'tables-'));
    folders.push(folder);
    return folder;
  };

  it('tables outlive the process, and the template finds them again', async () => {
    const folder = newFolder();
    const first = await start(folder);
    await first.create(READINGS);
    const Item = { pk: { S: 'a' }, sk: { S: '1' } };
    await first.run('PutItem', { TableName: 'readings', Item });
    await first.setTimeToLive('readings', { AttributeName: 'expiresAt', Enabled: false });
    await first.close();
    open.pop();

    const second = await start(folder);
    expect(await second.timeToLive('readings')).toBeUndefined();
    await second.create(READINGS);
    expect(await second.timeToLive('readings')).toBe('expiresAt');
    const { Item: found } = await second.run('GetItem', { TableName: 'readings', Key: Item });
    expect(found).toEqual(Item);
  });

  it('a kept table with other keys is refused, saying what to do', async () => {
    const folder = newFolder();
    const first = await start(folder);
    await first.create(READINGS);
    const changed = { ...READINGS, KeySchema: [READINGS.KeySchema[0]], AttributeDefinitions: [] };
    await expect(first.create(changed)).rejects.toThrow(/other KeySchema.*remove the kept data/);
  });
});
