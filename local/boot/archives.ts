import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../core/log.ts';
import type { ResolvedStack } from '../core/template/index.ts';
import type { Need } from '../operations/operation.ts';
import type { Mapping } from '../runtime/event-source-mapping.ts';
import {
  type DeclaredDeliveryStream,
  declaredDeliveryStream,
} from '../runtime/firehose/declaration.ts';
import { createStreamSource } from '../runtime/firehose/stream-source.ts';
import type { Clock } from '../runtime/lambda-clock.ts';
import { createDeliveryStore, type DeliveryStore } from '../stores/delivery-store.ts';
import { createObjectStore, type ObjectStore } from '../stores/object-store.ts';
import type { StreamStore } from '../stores/stream-store.ts';
import { keyOfBucket } from './keys.ts';
import { collectProblems, ofType } from './resources.ts';
import type { Roles } from './roles.ts';

/** The template's buckets as folders. */
export interface Buckets extends ObjectStore {
  /** `<directory>/<bucket>/<key>` */
  readonly directory: string;
  /** The key that a bucket encrypts with, where it is one of the account's own. */
  readonly keyArnOf: (bucket: string) => string | undefined;
  /** Removes what was kept for this run only. */
  readonly close: () => void;
}

/** @param directory  where objects outlive the process; a temporary folder without */
export function openBuckets(stack: ResolvedStack, directory: string | undefined): Buckets {
  const temporary =
    directory === undefined ? mkdtempSync(join(tmpdir(), 'tributary-objects-')) : undefined;
  const folder = temporary ?? join(directory ?? '', 'objects');
  const buckets = ofType(stack, 'AWS::S3::Bucket');
  const keys = new Map(buckets.map((bucket) => [bucket.name, keyOfBucket(stack, bucket)]));
  return {
    ...createObjectStore({ directory: folder, buckets: [...keys.keys()] }),
    directory: folder,
    keyArnOf: (bucket) => keys.get(bucket),
    close: () => {
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

export interface DeliveryOptions {
  readonly objects: Buckets;
  readonly streams: StreamStore;
  readonly roles: Roles;
  readonly clock: Clock;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly log: Log;
}

export interface Deliveries extends DeliveryStore {
  /** Readers of the Kinesis streams that delivery streams have as their source, not started yet. */
  readonly sources: readonly Mapping[];
}

/** The template's delivery streams. @throws {BootError} naming what is wrong or not supported */
export function openDeliveries(stack: ResolvedStack, options: DeliveryOptions): Deliveries {
  const { objects, clock, uuid, log } = options;
  return collectProblems(() => {
    const declared = ofType(stack, 'AWS::KinesisFirehose::DeliveryStream').map(
      declaredDeliveryStream,
    );
    const byName = new Map(declared.map((stream) => [stream.spec.name, stream]));
    const grants = grantsOf(options);
    const store = createDeliveryStore({
      objects,
      streams: declared.map(({ spec }) => spec),
      now: clock.now,
      uuid,
    });
    return {
      sources: declared.flatMap((stream) => sourceOf(stream, store, grants, options)),
      // Firehose has taken the records by then: what it may not write, it says in its own log
      async put(name, records) {
        const stream = byName.get(name);
        const problem = stream && missing(stream.roleArn, grants.write(stream), options.roles);
        if (problem === undefined) return store.put(name, records);
        log({ level: 'error', source: 'firehose', message: `${name} cannot deliver: ${problem}` });
      },
    };
  });
}

function sourceOf(
  stream: DeclaredDeliveryStream,
  store: DeliveryStore,
  grants: ReturnType<typeof grantsOf>,
  { streams, roles, clock, random, log }: DeliveryOptions,
): Mapping[] {
  const { source, spec, roleArn } = stream;
  if (source === undefined) return [];
  const mapping = createStreamSource(
    { deliveryStream: spec.name, streamName: source.streamName },
    {
      streams,
      sleep: clock.sleep,
      random,
      log,
      deliver: (records) =>
        store.put(
          spec.name,
          records.map(({ data }) => data),
          records[0]?.arrivedAtMs,
        ),
      missingGrant: () => {
        const problem =
          missing(source.roleArn, grants.read(source.streamName), roles) ??
          missing(roleArn, grants.write(stream), roles);
        return problem && `${spec.name} cannot deliver from ${source.streamName}: ${problem}`;
      },
    },
  );
  return [mapping];
}

/** What the roles of a delivery stream must grant, to read and to write. */
function grantsOf({ streams, objects }: DeliveryOptions) {
  return {
    read(streamName: string): Need[] {
      const { arn, keyArn } = streams.describe(streamName);
      const on = ['DescribeStream', 'GetShardIterator', 'GetRecords'].map((name) => ({
        action: `kinesis:${name}`,
        resource: arn,
      }));
      return keyArn === undefined ? on : [...on, { action: 'kms:Decrypt', resource: keyArn }];
    },
    write({ spec: { bucket } }: DeclaredDeliveryStream): Need[] {
      const put = { action: 's3:PutObject', resource: `arn:aws:s3:::${bucket}/delivery` };
      const keyArn = objects.keyArnOf(bucket);
      if (keyArn === undefined) return [put];
      return [put, { action: 'kms:GenerateDataKey', resource: keyArn }];
    },
  };
}

function missing(roleArn: string, needs: readonly Need[], roles: Roles): string | undefined {
  for (const need of needs) {
    const { allowed, explanation } = roles.authorizeRole(roleArn, need);
    if (allowed) continue;
    return `its role may not ${need.action} on ${need.resource}: ${explanation}`;
  }
  return undefined;
}
