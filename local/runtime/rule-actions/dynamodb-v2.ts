import * as z from 'zod';
import { type SqlValue, typeName, WideNumber } from '../../core/sql/index.ts';
import { ActionError, type ActionKind } from './action.ts';
import { attributes } from './attribute-value.ts';

const Declaration = z.strictObject({
  PutItem: z.strictObject({ TableName: z.string().min(1) }),
  RoleArn: z.string(),
});

/** Each root key of the result becomes an attribute. @see IoT Core Developer Guide, DynamoDBv2 action */
export const dynamoDbV2: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ PutItem: { TableName }, RoleArn }, { parameter, service }) {
    const putItem = service('DynamoDB_20120810.PutItem');
    const tableName = parameter(TableName);
    return {
      name: 'DynamoDBv2Action',
      resource: TableName,
      async prepare(turn) {
        const resource = await tableName(turn);
        const attempt = () => {
          const input = { TableName: resource, Item: attributes(rootOf(turn.value)) };
          return putItem(RoleArn, input);
        };
        return { resource, attempt };
      },
    };
  },
};

function rootOf(value: SqlValue): Readonly<Record<string, SqlValue>> {
  if (isObject(value)) return value;
  const found = typeName(value);
  throw new ActionError(`An item needs an object with the table's keys; the result is ${found}.`);
}

const isObject = (value: SqlValue): value is Readonly<Record<string, SqlValue>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof WideNumber);
