import { gzipSync } from 'node:zlib';
import { compilePrefix, objectName } from '../core/firehose/object-key.ts';
import { AwsError } from '../operations/operation.ts';
import type { ObjectStore } from './object-store.ts';

/** A delivery stream of Firehose that ends in a bucket. */
export interface DeliveryStreamSpec {
  readonly name: string;
  readonly bucket: string;
  /** Before the object's name; may hold `!{timestamp:…}`. */
  readonly prefix?: string;
  /** Behind the object's name; `.gz` for compressed ones unless said otherwise. */
  readonly fileExtension?: string;
  readonly compression: 'UNCOMPRESSED' | 'GZIP';
  /** Put behind each record. */
  readonly delimiter: string;
  /** What ends an object, whichever comes first. */
  readonly bufferingSeconds: number;
  readonly bufferingBytes: number;
}

export interface DeliveryStore {
  /**
   * Resolves once the records are in the bucket.
   *
   * @param arrivedAtMs  of the first of them
   * @throws {AwsError} with Firehose's codes, or S3's
   */
  readonly put: (
    deliveryStream: string,
    records: readonly Uint8Array[],
    arrivedAtMs?: number,
  ) => Promise<void>;
}

interface Options {
  readonly objects: Pick<ObjectStore, 'append'>;
  readonly streams: readonly DeliveryStreamSpec[];
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly uuid: () => string;
}

const MAX_RECORD_BYTES = 1_024_000;

/**
 * Writes records one behind the other into objects that are cut where Firehose's buffer would be full. Firehose shows
 * an object when it is complete; here it grows from its first record on, so that nobody waits for a buffer. A
 * compressed object is a row of gzip members, which reads as one [RFC 1952, 2.2].
 *
 * @throws {PrefixError} for a prefix that the laptop does not evaluate
 */
export function createDeliveryStore({ streams, ...deps }: Options): DeliveryStore {
  const writers = new Map(streams.map((spec) => [spec.name, createWriter(spec, deps)]));

  return {
    async put(deliveryStream, records, arrivedAtMs = deps.now()) {
      const write = writers.get(deliveryStream);
      if (write === undefined) {
        const message = `Firehose ${deliveryStream} not found.`;
        throw new AwsError('ResourceNotFoundException', message);
      }
      if (records.length === 0) return;
      checkSizes(records);
      await write(records, arrivedAtMs);
    },
  };
}

interface OpenObject {
  readonly key: string;
  readonly beganAtMs: number;
  readonly bytes: number;
}

function createWriter(spec: DeliveryStreamSpec, { objects, now, uuid }: Omit<Options, 'streams'>) {
  const { name, bucket, compression, bufferingSeconds, bufferingBytes } = spec;
  const { fileExtension = compression === 'GZIP' ? '.gz' : '' } = spec;
  const prefix = compilePrefix(spec.prefix);
  const delimiter = Buffer.from(spec.delimiter);
  let open: OpenObject | undefined;
  let writing = Promise.resolve();

  const isFull = ({ beganAtMs, bytes }: OpenObject): boolean =>
    now() - beganAtMs >= bufferingSeconds * 1000 || bytes >= bufferingBytes;

  const begin = (firstRecordMs: number): OpenObject => {
    const unique = uuid();
    const random = unique.replaceAll('-', '').slice(0, 11);
    const key = `${prefix({ firstRecordMs, random })}${objectName(name, firstRecordMs, unique)}${fileExtension}`;
    return { key, beganAtMs: now(), bytes: 0 };
  };

  const write = async (records: readonly Uint8Array[], arrivedAtMs: number): Promise<void> => {
    const content = Buffer.concat(records.flatMap((record) => [record, delimiter]));
    const object = open === undefined || isFull(open) ? begin(arrivedAtMs) : open;
    await objects.append(bucket, object.key, compression === 'GZIP' ? gzipSync(content) : content);
    open = { ...object, bytes: object.bytes + content.length };
  };

  return (records: readonly Uint8Array[], arrivedAtMs: number): Promise<void> => {
    const written = writing.then(() => write(records, arrivedAtMs));
    writing = written.catch(() => undefined);
    return written;
  };
}

function checkSizes(records: readonly Uint8Array[]): void {
  const largest = Math.max(...records.map(({ length }) => length));
  if (largest <= MAX_RECORD_BYTES) return;
  throw new AwsError(
    'InvalidArgumentException',
    `A record has at most ${MAX_RECORD_BYTES} bytes, not ${largest}.`,
  );
}
