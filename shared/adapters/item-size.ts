import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './attributes.ts';

const UNIT_BYTES = 1024;

/** @see DynamoDB Developer Guide, "DynamoDB item sizes and formats" */
export const itemBytes = (item: Item): number =>
  Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + bytesOf(value),
    0,
  );

/** Write units of an item of that size. */
export const unitsOf = (bytes: number): number => Math.ceil(bytes / UNIT_BYTES);

function bytesOf(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return value.B.length;
  if (value.N !== undefined) return Math.ceil(value.N.replace(/\D/g, '').length / 2) + 1;
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  throw new TypeError('only texts, bytes, numbers and booleans are measured');
}
