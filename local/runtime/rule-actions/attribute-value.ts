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

/** What DynamoDB stores, as plain JSON: the reverse of {@link attributes}, sets as arrays, binaries as base64. */
export const plainItem = (item: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value)]));

function plainValue(attribute: unknown): unknown {
  const [[type, value] = ['NULL', true]] = Object.entries(Object(attribute));
  switch (type) {
    case 'NULL':
      return null;
    case 'N':
      return plainNumber(String(value));
    case 'NS':
      return isList(value) ? value.map((text) => plainNumber(String(text))) : [];
    case 'L':
      return isList(value) ? value.map(plainValue) : [];
    case 'M':
      return plainItem(Object(value));
    default:
      return value;
  }
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** As an integer beyond a double's precision stays what it is, it goes on as a bigint. */
const plainNumber = (text: string): number | bigint =>
  Number.isSafeInteger(Number(text)) || !/^-?\d+$/.test(text) ? Number(text) : BigInt(text);
