import { AwsError } from '../operations/operation.ts';
import type { ObjectStore } from './object-store.ts';

/** A delivery stream of Firehose that ends in a bucket. */
export interface DeliveryStreamSpec {
  readonly name: string;
  readonly bucket: string;
  /** Put before the time in the object's key. */
  readonly prefix?: string;
}

export interface DeliveryStore {
  /** Resolves once the records are in the bucket. @throws {AwsError} with Firehose's codes */
  readonly put: (deliveryStream: string, records: readonly Uint8Array[]) => Promise<void>;
}

const MAX_RECORD_BYTES = 1_024_000;

/**
 * Records one behind the other, in an object for each hour: `<prefix>YYYY/MM/DD/HH/<stream>`, in UTC. They are not
 * held back to fill a buffer, nor compressed.
 *
 * @param now  milliseconds since the Unix epoch
 * @throws {Error} for a prefix with expressions, which the laptop does not evaluate
 */
export function createDeliveryStore({
  objects,
  streams,
  now,
}: {
  readonly objects: Pick<ObjectStore, 'append'>;
  readonly streams: readonly DeliveryStreamSpec[];
  readonly now: () => number;
}): DeliveryStore {
  for (const { name, prefix } of streams) {
    if (!prefix?.includes('!{')) continue;
    throw new Error(`${name}: the laptop does not evaluate expressions in a prefix: ${prefix}`);
  }
  const byName = new Map(streams.map((stream) => [stream.name, stream]));

  return {
    async put(deliveryStream, records) {
      const stream = byName.get(deliveryStream);
      if (stream === undefined) {
        const message = `Firehose ${deliveryStream} not found.`;
        throw new AwsError('ResourceNotFoundException', message);
      }
      checkSizes(records);
      const { name, bucket, prefix = '' } = stream;
      const key = `${prefix}${hourOf(now())}/${name}`;
      await objects.append(bucket, key, Buffer.concat(records));
    },
  };
}

const hourOf = (ms: number): string =>
  new Date(ms).toISOString().slice(0, 13).replaceAll('-', '/').replace('T', '/');

function checkSizes(records: readonly Uint8Array[]): void {
  const largest = Math.max(...records.map(({ length }) => length));
  if (largest <= MAX_RECORD_BYTES) return;
  throw new AwsError(
    'InvalidArgumentException',
    `A record has at most ${MAX_RECORD_BYTES} bytes, not ${largest}.`,
  );
}
