import { AwsError } from '../../operations/operation.ts';
import { type EngineOperation, type Json, understoodMembers } from './engine.ts';

/** Members with a value that asks for nothing: they may be left out. */
const ASKS_FOR_NOTHING: Readonly<Record<string, readonly unknown[]>> = {
  ReturnValuesOnConditionCheckFailure: ['NONE'],
  ReturnItemCollectionMetrics: ['NONE'],
  ConsistentRead: [false],
};

/**
 * The input as the engine can take it.
 *
 * @throws {AwsError} `ValidationException`, naming what the engine lacks and would drop without a word
 */
export function engineInput(operation: EngineOperation, input: Json): Json {
  const understood = understoodMembers(operation);
  const kept = Object.entries(input).filter(
    ([name, value]) => value !== null && !ASKS_FOR_NOTHING[name]?.includes(value),
  );
  const asked = Object.fromEntries(kept);
  if (operation === 'Scan' && asked['IndexName'] === undefined) delete asked['ConsistentRead']; // every scan of a table is
  for (const name of Object.keys(asked)) {
    if (!understood.has(name) || name === 'ReturnItemCollectionMetrics') {
      throw lacking(operation, name);
    }
  }
  if (namesPrototype(asked)) throw lacking(operation, 'attributes named __proto__');
  if (Object.values(asked).some(holdsNull)) throw emptyValue();
  return withTableName(asked);
}

export const lacking = (where: string, what: string): AwsError =>
  new AwsError('ValidationException', `${where}: the laptop's DynamoDB has no ${what}.`);

/** Plain objects cannot hold that key, and the engine uses plain objects. */
function namesPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  return Object.entries(value).some(
    ([name, inner]) =>
      namesPrototype(inner) ||
      (name === 'ExpressionAttributeNames' && Object.values(inner ?? {}).includes('__proto__')),
  );
}

/** Only the input itself may have members that are null, and they are left out; anywhere else a value is missing. */
const holdsNull = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.values(value).some(holdsNull));

const emptyValue = (): AwsError =>
  new AwsError(
    'ValidationException',
    'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes',
  );

/** A table may be named by its ARN; the engine knows names only. */
function withTableName(input: Json): Json {
  const { TableName: name } = input;
  return typeof name === 'string' ? { ...input, TableName: tableNameOf(name) } : input;
}

/** @param reference  a table's name or ARN */
export const tableNameOf = (reference: string): string =>
  /^arn:[^:]+:dynamodb:[^:]*:[^:]*:table\/([^/]+)$/.exec(reference)?.[1] ?? reference;
