import { ON_DEMAND_SHARDS, REQUEST_LIMITS } from '../core/kinesis/limits.ts';
import type { Log } from '../core/log.ts';
import { AwsError } from '../operations/operation.ts';
import { openCatalogue } from './stream-catalogue.ts';
import { openCheckpoints } from './stream-checkpoints.ts';
import { createImageCache } from './stream-image-cache.ts';
import type {
  AppendListener,
  NewRecord,
  Position,
  PutResult,
  StreamDefinition,
  StreamDescription,
  StreamRecord,
} from './stream-model.ts';
import { openStream, type Stream } from './stream-shards.ts';

export type {
  AppendListener,
  NewRecord,
  Position,
  PutResult,
  StreamDefinition,
  StreamDescription,
  StreamRecord,
} from './stream-model.ts';

const MIB = 1024 * 1024;
const CACHE_BYTES = 32 * MIB;

export interface StreamStoreOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Where streams and checkpoints outlive the process; one process at a time. Absent: memory only. */
  readonly directory?: string;
  /** Whether shards keep to AWS's rates in and out. Off unless said otherwise. */
  readonly limits?: boolean;
  readonly log?: Log;
  /** Size of a log file: 4 MiB unless said otherwise. */
  readonly segmentBytes?: number;
  /** What a shard holds at most: 1 GiB on disk, 32 MiB in memory, unless said otherwise. */
  readonly maxShardBytes?: number;
}

export type StreamStore = ReturnType<typeof createStreamStore>;

/**
 * The streams of the laptop. A record is acknowledged when it is in its shard's log (with a
 * directory: on disk, `fdatasync`ed) and readable from then on. Unknown names are answered with an
 * {@link AwsError} `ResourceNotFoundException`.
 *
 * @throws {Error} when the directory holds a catalogue that this version did not write
 */
export function createStreamStore(options: StreamStoreOptions) {
  const { now, directory, limits = false, log = () => undefined } = options;
  const catalogue = openCatalogue(directory);
  const checkpoints = openCheckpoints(directory, log);
  const cache = createImageCache(CACHE_BYTES);
  const listeners = new Set<AppendListener>();
  const streams = new Map<string, Stream>();
  for (const stored of catalogue.stored()) streams.set(stored.name, open(stored));

  function open(description: StreamDescription): Stream {
    const folder = catalogue.folderOf(description);
    return openStream(description, {
      now,
      limits,
      cache,
      log,
      ...(folder !== undefined && { folder }),
      segmentBytes: options.segmentBytes ?? 4 * MIB,
      maxBytes: options.maxShardBytes ?? (directory === undefined ? 32 * MIB : 1024 * MIB),
      onAppend: notify,
    });
  }

  /** A listener that throws takes nothing from the others, nor from who put the record. */
  function notify(name: string, shardId: string): void {
    for (const listener of listeners) {
      try {
        listener(name, shardId);
      } catch (reason) {
        const message = `A listener to ${name} failed`;
        log({ level: 'error', source: 'kinesis', message, shardId, reason });
      }
    }
  }

  function find(name: string): Stream {
    const stream = streams.get(name);
    if (stream !== undefined) return stream;
    throw new AwsError('ResourceNotFoundException', `Stream ${name} not found.`);
  }

  const descriptions = (): StreamDescription[] =>
    [...streams.values()].map((stream) => stream.describe());

  const save = (): Promise<void> => catalogue.save(descriptions());

  return {
    /** Whether shards keep to AWS's rates. */
    limits,

    /**
     * Makes the stream, or brings the one of this name, kept from an earlier run, up to this
     * definition. On-demand streams have four shards, whatever the definition says.
     *
     * @throws {AwsError} `ResourceInUseException` where the kept one has another number of shards
     */
    async create(definition: StreamDefinition): Promise<StreamDescription> {
      const { name, mode = 'PROVISIONED' } = definition;
      const shardCount = mode === 'ON_DEMAND' ? ON_DEMAND_SHARDS : definition.shardCount;
      const existing = streams.get(name);
      const createdAtMs = existing?.describe().createdAtMs ?? catalogue.creationTime(now());
      const description = { ...definition, mode, shardCount, createdAtMs };
      if (existing === undefined) streams.set(name, open(description));
      else existing.redefine(description);
      await save();
      return find(name).describe();
    },

    has: (name: string): boolean => streams.has(name),

    describe: (name: string): StreamDescription => find(name).describe(),

    list: (): StreamDescription[] =>
      descriptions().sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))),

    /** Deletes the stream with its records. */
    async remove(name: string): Promise<void> {
      const stream = find(name);
      streams.delete(name);
      await save();
      await stream.destroy();
    },

    /** Shard ids in order, `shardId-000000000000` first. */
    shards: (name: string): string[] => find(name).shardIds(),

    /** A sequence number below all of the shard's records. */
    startingSequence: (name: string, shardId: string): string =>
      find(name).startingSequence(shardId),

    /**
     * Puts each record on the shard of its partition key. Results stand in the records' order;
     * those that are no failures are on disk, for good, when the promise resolves.
     */
    put: async (name: string, records: readonly NewRecord[]): Promise<PutResult[]> =>
      find(name).put(records),

    /** The sequence number at which reading from this position begins, fixed as of now. */
    resolve: (name: string, shardId: string, position: Position): string =>
      find(name).resolve(shardId, position),

    /**
     * The next records of a shard, in order, those past their retention left out. Without any
     * limit on how often.
     *
     * @param maxBytes  of data and keys; one record comes whatever its size
     * @throws {AwsError} `InvalidArgumentException` for a sequence number of another shard or stream
     */
    read: (
      name: string,
      shardId: string,
      from: Position,
      limit: number,
      maxBytes: number = REQUEST_LIMITS.getBytes,
    ): StreamRecord[] => find(name).read(shardId, from, limit, maxBytes),

    /** @returns a function that ends the listening. */
    onAppend(listener: AppendListener): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    checkpoint: checkpoints.checkpoint,
    saveCheckpoint: checkpoints.saveCheckpoint,

    /** Waits for the disk and lets go of the files. */
    async close(): Promise<void> {
      await Promise.all([...streams.values()].map((stream) => stream.close()));
      await Promise.all([catalogue.settled(), checkpoints.settled()]);
    },
  };
}
