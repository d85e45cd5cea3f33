import * as z from 'zod';

const YEAR_SECONDS = 365 * 24 * 3600;
const Item = z.record(z.string(), z.record(z.string(), z.unknown()));
export type Item = z.infer<typeof Item>;

/**
 * Whether DynamoDB would delete the item: its attribute is a number, a time in seconds that is over, and not by
 * more than five years.
 *
 * @see Amazon DynamoDB Developer Guide, Using time to live
 */
export function isExpired(item: Item, attributeName: string, nowMs: number): boolean {
  const expiresAt = item[attributeName]?.['N'];
  if (typeof expiresAt !== 'string') return false;
  const overdueSeconds = nowMs / 1000 - Number(expiresAt);
  return overdueSeconds > 0 && overdueSeconds <= 5 * YEAR_SECONDS;
}

/** DeleteItem for an expired item, on condition that nobody gave it more time meanwhile. */
export function deletionOf(
  item: Item,
  attributeName: string,
  tableName: string,
  keyNames: readonly string[],
) {
  return {
    TableName: tableName,
    Key: Object.fromEntries(keyNames.map((name) => [name, item[name]])),
    ConditionExpression: '#expiry = :seen',
    ExpressionAttributeNames: { '#expiry': attributeName },
    ExpressionAttributeValues: { ':seen': item[attributeName] },
  };
}

export const parseItem = (value: unknown): Item => Item.parse(value);
