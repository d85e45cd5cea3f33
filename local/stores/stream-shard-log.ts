import { type Frame, frameBytes } from './stream-frame.ts';
import { appendFrame, cutImage, frameAt, hasRoom, type SegmentImage } from './stream-image.ts';
import {
  closeSegment,
  persist,
  removeSegment,
  type Segment,
  truncateToCommitted,
} from './stream-segment.ts';
import { SegmentList, type SegmentListOptions } from './stream-segment-list.ts';

/**
 * Each opening leaves a gap in the indices. Were the last records of a log lost with a disk, no
 * new record would get the number of a lost one that a consumer may have checkpointed past.
 */
const INDEX_GAP = 1_000_000_000;

export interface ShardLogOptions extends SegmentListOptions {
  /** Called when records became readable. */
  readonly onCommit: () => void;
}

interface Waiter {
  /** Index of the last record waited for. */
  readonly through: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The records of one shard in order of arrival. Appending is immediate, in memory; `commit` waits
 * for the disk, together with everyone else who waits then (group commit). Only committed records
 * can be read, so no consumer gets ahead of what a crash would leave.
 */
export class ShardLog {
  readonly #options: ShardLogOptions;
  readonly #segments: SegmentList;
  #waiting: Waiter[] = [];
  #flushing: Promise<void> | undefined;
  #nextIndex: number;
  #nextReadable: number;
  #lastArrivedAtMs: number;

  constructor(options: ShardLogOptions) {
    this.#options = options;
    this.#segments = new SegmentList(options);
    const { tail } = this.#segments;
    const last = tail?.image && frameAt(tail.image, tail.committedFrames - 1);
    this.#lastArrivedAtMs = last?.arrivedAtMs ?? 0;
    this.#nextIndex = tail === undefined ? 1 : (last?.index ?? tail.base) + INDEX_GAP;
    this.#nextReadable = this.#nextIndex;
  }

  /** The next record has this index or a greater one; all readable ones have smaller ones. */
  get nextReadable(): number {
    return this.#nextReadable;
  }

  /**
   * Appends one record, not yet readable.
   *
   * @returns its index, greater than any before, also across restarts
   */
  append(partitionKey: string, data: Uint8Array, nowMs: number): number {
    const { segment, image } = this.#room(Buffer.byteLength(partitionKey), data.length);
    this.#lastArrivedAtMs = Math.max(this.#lastArrivedAtMs, nowMs);
    segment.firstArrivedAtMs ??= this.#lastArrivedAtMs;
    const index = this.#nextIndex;
    appendFrame(image, { index, arrivedAtMs: this.#lastArrivedAtMs, partitionKey, data });
    this.#nextIndex += 1;
    return index;
  }

  /**
   * Waits until the record `through` and all before it are on disk and readable.
   *
   * @throws the disk's error; then every record that was not committed is gone, as if never appended
   */
  commit(through: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ through, resolve, reject });
    this.#flushing ??= this.#flushAll();
    return promise;
  }

  /**
   * Committed records from `index` on that arrived later than `expiredAtMs`.
   *
   * @param maxBytes  of data and keys; the first record comes whatever its size
   */
  read(index: number, limit: number, maxBytes: number, expiredAtMs: number): Frame[] {
    const frames: Frame[] = [];
    let bytes = 0;
    for (const frame of this.#segments.framesFrom(this.#unexpired(index, expiredAtMs))) {
      bytes += frame.data.length + frame.partitionKey.length;
      if (frames.length >= limit || (bytes > maxBytes && frames.length > 0)) return frames;
      frames.push(frame);
    }
    return frames;
  }

  /** Index of the first record that arrived at this time or later, or will. */
  indexAtTime(arrivedAtMs: number): number {
    const index = this.#segments.indexAtTime(arrivedAtMs) ?? this.#nextReadable;
    return Math.min(index, this.#nextReadable);
  }

  /** Frees the disk of records that arrived at this time or before, as far as whole files go. */
  dropExpired(expiredAtMs: number): void {
    this.#segments.dropExpired(expiredAtMs);
  }

  /** Waits for commits under way and lets go of the file. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#segments.close();
  }

  #room(keyBytes: number, dataBytes: number): { segment: Segment; image: SegmentImage } {
    const { tail } = this.#segments;
    if (tail?.image && !tail.sealed && hasRoom(tail.image, keyBytes, dataBytes)) {
      return { segment: tail, image: tail.image };
    }
    return this.#segments.add(this.#nextIndex, frameBytes(keyBytes, dataBytes));
  }

  async #flushAll(): Promise<void> {
    await Promise.resolve(); // what is appended in this turn is committed together
    while (this.#waiting.length > 0) {
      try {
        await this.#flushOnce();
        this.#release();
      } catch (error) {
        await this.#rollBack(error);
      }
    }
    this.#flushing = undefined;
  }

  async #flushOnce(): Promise<void> {
    for (const segment of this.#segments.uncommitted()) {
      const { image } = segment;
      if (image === undefined) continue;
      const { end } = image;
      const frames = image.offsets.length;
      await persist(segment, image, end);
      segment.committedBytes = end;
      segment.committedFrames = frames;
      this.#nextReadable = (frameAt(image, frames - 1)?.index ?? 0) + 1;
    }
    await this.#segments.sealFull();
  }

  #release(): void {
    const done = this.#waiting.filter(({ through }) => through < this.#nextReadable);
    this.#waiting = this.#waiting.filter(({ through }) => through >= this.#nextReadable);
    for (const { resolve } of done) resolve();
    if (done.length > 0) this.#options.onCommit();
  }

  /** Forgets all that is not committed, and says so to everyone who waits for it. */
  async #rollBack(reason: unknown): Promise<void> {
    this.#say('Could not write', reason);
    this.#release();
    const refused = this.#waiting;
    this.#waiting = [];
    const dropped = this.#segments.takeUncommitted();
    const { tail } = this.#segments;
    if (tail?.image) cutImage(tail.image, tail.committedFrames);
    await this.#tidy(tail, dropped);
    for (const { reject } of refused) reject(reason);
  }

  /**
   * Takes what a failed write left off the disk. Where that fails as well, records that were
   * refused may come back at the next opening; they hide no others, as their indices are smaller.
   */
  async #tidy(tail: Segment | undefined, dropped: readonly Segment[]): Promise<void> {
    try {
      if (tail !== undefined) await truncateToCommitted(tail);
      await Promise.all(dropped.map(closeSegment));
      for (const segment of dropped) removeSegment(segment);
    } catch (reason) {
      this.#say('Could not tidy up', reason);
    }
  }

  #say(failure: string, reason: unknown): void {
    const { name, log } = this.#options;
    log({ level: 'error', source: 'kinesis', message: `${failure} the log of ${name}`, reason });
  }

  /** The index, or a greater one where the record there has expired. */
  #unexpired(index: number, expiredAtMs: number): number {
    const [first] = this.#segments.framesFrom(index);
    if (first === undefined || first.arrivedAtMs > expiredAtMs) return index;
    return Math.max(index, this.indexAtTime(expiredAtMs + 1));
  }
}
