import { join } from 'node:path';
import * as z from 'zod';
import type { Log } from '../core/log.ts';
import type { ResolvedStack } from '../core/template/index.ts';
import { createKeyStore, type KeyStore } from '../stores/key-store.ts';
import { createQueueStore, type QueueStore, queueAttributesOf } from '../stores/queue-store.ts';
import { createStreamStore, type StreamStore } from '../stores/stream-store.ts';
import { createTableStore, type TableStore } from '../stores/table-store.ts';
import { arnOf, ofType, propertiesOf } from './resources.ts';

export interface Stores {
  readonly keys: KeyStore;
  readonly streams: StreamStore;
  readonly queues: QueueStore;
  readonly tables: TableStore;
  readonly close: () => Promise<void>;
}

export interface StoreOptions {
  readonly accountId: string;
  readonly region: string;
  readonly now: () => number;
  readonly uuid: () => string;
  readonly log: Log;
  /** Where state outlives the process; memory only without. */
  readonly directory?: string;
}

/** Opens the stores that hold the laptop's state, empty or as they were left. */
export async function openStores({
  now,
  uuid,
  log,
  accountId,
  region,
  directory,
}: StoreOptions): Promise<Stores> {
  const within = (name: string) =>
    directory === undefined ? {} : { directory: join(directory, name) };
  const keys = createKeyStore({ now, ...within('keys') });
  const streams = createStreamStore({ now, log, ...within('streams') });
  const queues = createQueueStore({ now, uuid, ...within('queues') });
  const keyArn = (reference: string) => keys.resolve(reference).arn;
  const tables = await createTableStore({ accountId, region, keyArn, ...within('tables') });
  return {
    keys,
    streams,
    queues,
    tables,
    close: async () => {
      await Promise.all([streams.close(), queues.close(), tables.close()]);
    },
  };
}

const KeyProperties = z.object({
  Description: z.string().optional(),
  Enabled: z.boolean().default(true),
});
const AliasProperties = z.object({ AliasName: z.string(), TargetKeyId: z.string() });
const StreamProperties = z.object({
  Name: z.string(),
  ShardCount: z.int().positive().optional(),
  RetentionPeriodHours: z.int().positive().default(24),
  StreamModeDetails: z.object({ StreamMode: z.enum(['ON_DEMAND', 'PROVISIONED']) }).optional(),
  StreamEncryption: z.object({ KeyId: z.string() }).optional(),
});

/** Creates what the template declares: keys first, as the others are encrypted by them. */
export async function createDeclared(
  stack: ResolvedStack,
  stores: Stores,
  endpoint: string,
): Promise<void> {
  createKeys(stack, stores);
  for (const stream of ofType(stack, 'AWS::Kinesis::Stream')) {
    const properties = propertiesOf(stream, StreamProperties);
    const {
      Name,
      ShardCount = 1,
      RetentionPeriodHours,
      StreamModeDetails,
      StreamEncryption,
    } = properties;
    await stores.streams.create({
      name: Name,
      arn: arnOf(stream),
      shardCount: ShardCount,
      retentionHours: RetentionPeriodHours,
      mode: StreamModeDetails?.StreamMode ?? 'PROVISIONED',
      ...(StreamEncryption && { keyArn: stores.keys.resolve(StreamEncryption.KeyId).arn }),
    });
  }
  for (const table of ofType(stack, 'AWS::DynamoDB::Table')) {
    await stores.tables.create({ TableName: table.physicalId, ...table.properties });
  }
  for (const queue of ofType(stack, 'AWS::SQS::Queue')) {
    stores.queues.create({
      name: queue.name,
      arn: arnOf(queue),
      url: queueUrl(endpoint, arnOf(queue)),
      attributes: queueAttributesOf(queue.properties),
    });
  }
}

function createKeys(stack: ResolvedStack, { keys }: Stores): void {
  for (const key of ofType(stack, 'AWS::KMS::Key')) {
    const { Description, Enabled } = propertiesOf(key, KeyProperties);
    keys.create({
      keyId: key.physicalId,
      arn: arnOf(key),
      state: Enabled ? 'Enabled' : 'Disabled',
      ...(Description !== undefined && { description: Description }),
    });
  }
  for (const alias of ofType(stack, 'AWS::KMS::Alias')) {
    const { AliasName, TargetKeyId } = propertiesOf(alias, AliasProperties);
    const keyArn = keys.resolve(TargetKeyId).arn;
    keys.createAlias({
      name: AliasName,
      arn: alias.arn ?? keyArn.replace(/:key\/.*$/, `:${AliasName}`),
      keyId: keys.resolve(TargetKeyId).keyId,
    });
  }
}

/** `<endpoint>/<account>/<name>`, from the queue's ARN. */
const queueUrl = (endpoint: string, arn: string): string => {
  const [, , , , account = '', name = ''] = arn.split(':');
  return `${endpoint}/${account}/${name}`;
};
