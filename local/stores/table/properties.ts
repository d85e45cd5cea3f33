import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { AwsError, checkInput } from '../../operations/operation.ts';
import { type Json, understoodMembers } from './engine.ts';
import { lacking } from './lacking.ts';

/** What the laptop knows of a table beyond the engine. */
export const TableSettings = z.object({
  /** Attribute by which items expire. */
  timeToLiveAttribute: z.string().optional(),
  /** Customer key under which the table is encrypted. */
  keyArn: z.string().optional(),
  deletionProtection: z.boolean(),
});
export type TableSettings = z.infer<typeof TableSettings>;

export const TimeToLiveSpecification = z.object({
  AttributeName: z.string().min(1).max(255),
  Enabled: z.boolean(),
});
export type TimeToLiveSpecification = z.infer<typeof TimeToLiveSpecification>;

const SseSpecification = z.object({
  SSEEnabled: z.boolean(),
  SSEType: z.literal('KMS').optional(),
  KMSMasterKeyId: z.string().optional(),
});

/** Table properties beside those of the engine. The last two change what is billed or backed up, nothing a call could see. */
const TableExtras = z.object({
  TimeToLiveSpecification: TimeToLiveSpecification.optional(),
  SSESpecification: SseSpecification.optional(),
  DeletionProtectionEnabled: z.boolean().optional(),
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })).optional(),
  TableClass: z.string().optional(),
  PointInTimeRecoverySpecification: z.unknown().optional(),
});

/** Both the template's and the API's: the latter sets a time to live in a call of its own. */
const TABLE_PROPERTIES = new Set([
  ...understoodMembers('CreateTable'),
  ...Object.keys(TableExtras.shape),
]);

/** @throws {AwsError} `ValidationException`, naming properties that the laptop lacks */
export function checkTableProperties(properties: Json): void {
  const unknown = Object.keys(properties).filter((name) => !TABLE_PROPERTIES.has(name));
  if (unknown.length > 0) throw lacking('Table', unknown.join(', '));
}

/** @param keyArn  resolves a key id, ARN or alias */
export function tableSettings(
  properties: Json,
  keyArn: (reference: string) => string,
): TableSettings {
  const extras = checkInput(TableExtras, properties, 'ValidationException');
  const sse = extras.SSESpecification;
  const ttl = extras.TimeToLiveSpecification;
  return {
    ...(ttl?.Enabled && { timeToLiveAttribute: ttl.AttributeName }),
    ...(sse?.SSEEnabled && sse.KMSMasterKeyId && { keyArn: keyArn(sse.KMSMasterKeyId) }),
    deletionProtection: extras.DeletionProtectionEnabled ?? false,
  };
}

export const tagsOf = (properties: Json) =>
  checkInput(TableExtras, properties, 'ValidationException').Tags ?? [];

export const withoutNulls = (properties: Json): Json =>
  Object.fromEntries(Object.entries(properties).filter(([, value]) => value != null));

export const engineProperties = (properties: Json): Json =>
  Object.fromEntries(
    Object.entries(properties).filter(([name]) => understoodMembers('CreateTable').has(name)),
  );

/** A kept table keeps its items only under the keys they were written with. */
export function checkSameKeys(properties: Json, kept: Json): void {
  const differing = ['KeySchema', 'GlobalSecondaryIndexes', 'LocalSecondaryIndexes'].filter(
    (name) => !isDeepStrictEqual(keysIn(properties[name]), keysIn(kept[name])),
  );
  if (differing.length === 0) return;
  throw new AwsError(
    'ValidationException',
    `Table ${String(kept['TableName'])} is kept with other ${differing.join(', ')} than the template declares: remove the kept data, or name the table anew.`,
  );
}

const Keys = z
  .array(
    z.object({
      IndexName: z.string().optional(),
      AttributeName: z.string().optional(),
      KeyType: z.string().optional(),
      KeySchema: z.unknown().optional(),
      Projection: z.unknown().optional(),
    }),
  )
  .default([]);

const keysIn = (value: unknown): unknown => Keys.parse(value);
