import * as z from 'zod';
import { parseHashKey } from '../../core/kinesis/hash-key.ts';
import { REQUEST_LIMITS } from '../../core/kinesis/limits.ts';
import type { NewRecord } from '../../stores/stream-store.ts';
import { AwsError } from '../operation.ts';

const { recordBytes, partitionKeyCharacters } = REQUEST_LIMITS;

/** Base64 in JSON. Node skips what is no base64; then there are fewer bytes than the text promises. */
const blob = z.string().transform((text, context) => {
  const data = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  if (text.length % 4 === 0 && data.length === (text.length / 4) * 3 - padding) return data;
  context.issues.push({ code: 'custom', message: 'Member must be base64', input: undefined });
  return z.NEVER;
});

/** Members of a record in PutRecord and in PutRecords. */
export const recordMembers = {
  Data: blob.refine(({ length }) => length <= recordBytes, {
    message: `Member must have length less than or equal to ${recordBytes}`,
  }),
  PartitionKey: z.string().min(1).max(partitionKeyCharacters),
  ExplicitHashKey: z
    .string()
    .refine((text) => parseHashKey(text) !== undefined, 'not a decimal number from 0 to 2^128 - 1')
    .optional(),
};

export interface RecordInput {
  readonly Data: Uint8Array;
  readonly PartitionKey: string;
  readonly ExplicitHashKey?: string | undefined;
}

/** @throws {AwsError} `InvalidArgumentException` when data and partition key are too large together. */
export function newRecord({ Data, PartitionKey, ExplicitHashKey }: RecordInput): NewRecord {
  if (sizeOf({ Data, PartitionKey }) > recordBytes) {
    const message = `Data and PartitionKey of a record together exceed ${recordBytes} bytes.`;
    throw new AwsError('InvalidArgumentException', message);
  }
  return {
    data: Data,
    partitionKey: PartitionKey,
    ...(ExplicitHashKey !== undefined && { explicitHashKey: ExplicitHashKey }),
  };
}

/** Bytes that count towards the limits. */
export const sizeOf = ({ Data, PartitionKey }: RecordInput): number =>
  Data.length + Buffer.byteLength(PartitionKey);
