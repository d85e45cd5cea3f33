import { type SqlValue, WideNumber } from '../../core/sql/index.ts';

/** A value as DynamoDB stores it; Undefined has no attribute. */
function attributeValue(value: SqlValue): Record<string, unknown> | undefined {
  if (value === undefined) return undefined;
  if (value === null) return { NULL: true };
  if (typeof value === 'boolean') return { BOOL: value };
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number' || value instanceof WideNumber) return { N: String(value) };
  if (isArray(value)) return { L: value.map((item) => attributeValue(item) ?? { NULL: true }) };
  return { M: attributes(value) };
}

export const attributes = (
  value: Readonly<Record<string, SqlValue>>,
): Record<string, Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      const attribute = attributeValue(field);
      return attribute === undefined ? [] : [[name, attribute] as const];
    }),
  );

const isArray = (value: SqlValue): value is readonly SqlValue[] => Array.isArray(value);
