import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Record<string, AttributeValue>;

/** What an item can hold here: data of a schema, no more than JSON knows. */
export type Plain =
  | string
  | number
  | boolean
  | undefined
  | readonly Plain[]
  | { readonly [name: string]: Plain };

/** An item of plain data; what is undefined is left out. */
export function toItem(fields: { readonly [name: string]: Plain }): Item {
  const item: Item = {};
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value !== undefined) item[name] = toAttribute(value);
  }
  return item;
}

function toAttribute(value: Exclude<Plain, undefined>): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (isList(value))
    return { L: value.flatMap((one) => (one === undefined ? [] : [toAttribute(one)])) };
  return { M: toItem(value) };
}

const isList = (value: object): value is readonly Plain[] => Array.isArray(value);
