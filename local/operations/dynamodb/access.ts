import * as z from 'zod';
import { type TableStore, tableNameOf } from '../../stores/table-store.ts';
import type { Need } from '../operation.ts';

/** What DynamoDB's operations work on. */
export interface DynamoDbDeps {
  readonly tables: TableStore;
  readonly accountId: string;
  readonly region: string;
}

export const API = 'DynamoDB_20120810';

/** Members by which a call says what it touches; the engine checks the rest. */
const Touched = z.looseObject({
  TableName: z.string().optional(),
  IndexName: z.string().optional(),
  RequestItems: z.record(z.string(), z.unknown()).optional(),
  ResourceArn: z.string().optional(),
});

const tableArn = ({ region, accountId }: DynamoDbDeps, table: string): string =>
  `arn:aws:dynamodb:${region}:${accountId}:table/${tableNameOf(table)}`;

const ON_ITEMS: ReadonlySet<string> = new Set([
  'BatchGetItem',
  'BatchWriteItem',
  'DeleteItem',
  'GetItem',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
]);

/**
 * The grants a call asks of its caller: the action on each table it names, or on the index it reads, and, where
 * a table is encrypted under a customer key, `kms:Decrypt` on that key. DynamoDB opens the table's own key in
 * the name of whoever reads or writes items; only making that key belongs to the creation of the table.
 *
 * @param operationName  as in the API: `PutItem`
 * @see DynamoDB Developer Guide, How DynamoDB uses AWS KMS; aws/aws-cdk issue 10010, a PutItem refused for it
 */
export function needs(deps: DynamoDbDeps, operationName: string, input: unknown): Need[] {
  const action = `dynamodb:${operationName}`;
  const { TableName, IndexName, RequestItems, ResourceArn } = Touched.parse(input);
  const tables = RequestItems ? Object.keys(RequestItems) : TableName ? [TableName] : [];
  if (tables.length === 0) return [{ action, resource: ResourceArn ?? tableArn(deps, '*') }];
  return tables.flatMap((table) => [
    { action, resource: tableArn(deps, table) + (IndexName ? `/index/${IndexName}` : '') },
    ...(ON_ITEMS.has(operationName) ? keyNeeds(deps, tableNameOf(table)) : []),
  ]);
}

function keyNeeds({ tables, region, accountId }: DynamoDbDeps, table: string): Need[] {
  const keyArn = tables.keyArnOf(table);
  if (keyArn === undefined) return [];
  const context = {
    'kms:ViaService': `dynamodb.${region}.amazonaws.com`,
    'kms:EncryptionContext:aws:dynamodb:tableName': table,
    'kms:EncryptionContext:aws:dynamodb:subscriberId': accountId,
  };
  return [{ action: 'kms:Decrypt', resource: keyArn, context }];
}
