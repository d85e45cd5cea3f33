import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../core/log.ts';
import { type Frame, frameBytes } from './stream-frame.ts';
import {
  appendFrame,
  cutImage,
  frameAt,
  hasRoom,
  newImage,
  positionOfIndex,
  positionOfTime,
  type SegmentImage,
} from './stream-image.ts';
import type { ImageCache } from './stream-image-cache.ts';
import {
  closeSegment,
  loadImage,
  newSegment,
  openSealed,
  openTail,
  persist,
  removeSegment,
  type Segment,
  truncateToCommitted,
} from './stream-segment.ts';

/**
 * Each opening leaves a gap in the indices. Were the last records of a log lost with a disk, no
 * new record would get the number of a lost one that a consumer may have checkpointed past.
 */
const INDEX_GAP = 1_000_000_000;

const SEGMENT_FILE = /^\d{16}\.log$/;

export interface ShardLogOptions {
  /** Stream and shard, for people. */
  readonly name: string;
  /** Absent: memory only. */
  readonly directory?: string;
  readonly segmentBytes: number;
  /** Above this the oldest segments go, whatever their age. */
  readonly maxBytes: number;
  readonly cache: ImageCache;
  readonly log: Log;
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
  readonly #segments: Segment[] = [];
  #waiting: Waiter[] = [];
  #flushing: Promise<void> | undefined;
  #nextIndex = 1;
  #nextReadable = 1;
  #lastArrivedAtMs = 0;
  /** Why this shard takes nothing more, once its file is in an unknown state. */
  #broken: unknown;
  #saysWhenFull: boolean = true;

  constructor(options: ShardLogOptions) {
    this.#options = options;
    if (options.directory !== undefined) this.#open(options.directory);
  }

  /** Index that the next committed record has at least; all readable ones are smaller. */
  get nextReadable(): number {
    return this.#nextReadable;
  }

  /**
   * Appends one record, not yet readable.
   *
   * @returns its index, greater than any before, also across restarts
   * @throws  when an earlier failure of the disk left this shard's file in an unknown state
   */
  append(partitionKey: string, data: Uint8Array, nowMs: number): number {
    if (this.#broken !== undefined) throw this.#broken;
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
   * Committed records from `index` on, or from the first after it that arrived later than
   * `expiredAtMs`.
   *
   * @param maxBytes  of data and keys; the first record comes whatever its size
   */
  read(index: number, limit: number, maxBytes: number, expiredAtMs: number): Frame[] {
    const frames: Frame[] = [];
    let bytes = 0;
    for (const frame of this.#from(Math.max(index, this.#horizon(index, expiredAtMs)))) {
      bytes += frame.data.length + frame.partitionKey.length;
      if (frames.length >= limit || (bytes > maxBytes && frames.length > 0)) return frames;
      frames.push(frame);
    }
    return frames;
  }

  /** Index of the first committed record that arrived at this time or later. */
  indexAtTime(arrivedAtMs: number): number {
    const later = this.#segments.findIndex(
      ({ firstArrivedAtMs = Number.POSITIVE_INFINITY }) => firstArrivedAtMs >= arrivedAtMs,
    );
    const before = (later < 0 ? this.#segments.length : later) - 1;
    const segment = this.#segments[Math.max(before, 0)];
    if (segment === undefined) return this.#nextReadable;
    const image = this.#image(segment);
    const position = positionOfTime(image, arrivedAtMs);
    if (position >= image.offsets.length) {
      return this.#segments[before + 1]?.base ?? this.#nextReadable;
    }
    return Math.min(frameAt(image, position)?.index ?? this.#nextReadable, this.#nextReadable);
  }

  /** Removes whole segments whose last record arrived at this time or before. */
  dropExpired(expiredAtMs: number): void {
    for (;;) {
      const [oldest, next] = this.#segments;
      if (!oldest?.sealed || next?.firstArrivedAtMs === undefined) return;
      if (next.firstArrivedAtMs > expiredAtMs) return;
      this.#dropOldest();
    }
  }

  /** Waits for commits under way and lets go of the file. */
  async close(): Promise<void> {
    await this.#flushing;
    await Promise.all(this.#segments.map(closeSegment));
  }

  #open(directory: string): void {
    mkdirSync(directory, { recursive: true });
    const files = readdirSync(directory)
      .filter((file) => SEGMENT_FILE.test(file))
      .sort();
    for (const [at, file] of files.entries()) {
      const base = Number.parseInt(file, 10);
      const path = join(directory, file);
      const segment =
        at === files.length - 1 ? this.#reopenTail(base, path) : openSealed(base, path);
      if (segment !== undefined) this.#segments.push(segment);
    }
    const tail = this.#segments.at(-1);
    const last = tail?.image && frameAt(tail.image, tail.committedFrames - 1);
    this.#lastArrivedAtMs = last?.arrivedAtMs ?? tail?.firstArrivedAtMs ?? 0;
    if (tail !== undefined) this.#nextIndex = (last?.index ?? tail.base) + INDEX_GAP;
    this.#nextReadable = this.#nextIndex;
  }

  #reopenTail(base: number, path: string): Segment {
    const { segment, damagedBytes } = openTail(base, path, this.#options.segmentBytes);
    if (damagedBytes > 0) {
      this.#options.log({
        level: 'warn',
        source: 'kinesis',
        message: `Cut ${damagedBytes} bytes of an unfinished write off the log of ${this.#options.name}`,
        file: path,
        recordsKept: segment.committedFrames,
      });
    }
    return segment;
  }

  #room(keyBytes: number, dataBytes: number): { segment: Segment; image: SegmentImage } {
    const tail = this.#segments.at(-1);
    if (tail?.image && !tail.sealed && hasRoom(tail.image, keyBytes, dataBytes)) {
      return { segment: tail, image: tail.image };
    }
    const { directory, segmentBytes } = this.#options;
    const file = `${String(this.#nextIndex).padStart(16, '0')}.log`;
    const path = directory === undefined ? undefined : join(directory, file);
    const capacity = Math.max(segmentBytes, frameBytes(keyBytes, dataBytes));
    const image = newImage(capacity);
    const segment = newSegment(this.#nextIndex, image, path);
    this.#segments.push(segment);
    return { segment, image };
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
    const uncommitted = this.#segments.filter(
      ({ image, committedBytes }) => image !== undefined && committedBytes < image.end,
    );
    for (const segment of uncommitted) {
      const { image } = segment;
      if (image === undefined) continue;
      const { end } = image;
      const frames = image.offsets.length;
      await persist(segment, image, end);
      segment.committedBytes = end;
      segment.committedFrames = frames;
      this.#nextReadable = (frameAt(image, frames - 1)?.index ?? 0) + 1;
    }
    await this.#sealFull();
  }

  /** A full segment needs its file no more, and its memory only while someone reads it. */
  async #sealFull(): Promise<void> {
    for (const segment of this.#segments.slice(0, -1)) {
      if (segment.sealed || segment.committedBytes !== segment.image?.end) continue;
      segment.sealed = true;
      await closeSegment(segment);
      this.#keepInMemory(segment);
      this.#dropSurplus();
    }
  }

  #release(): void {
    const done = this.#waiting.filter(({ through }) => through < this.#nextReadable);
    this.#waiting = this.#waiting.filter(({ through }) => through >= this.#nextReadable);
    for (const { resolve } of done) resolve();
    if (done.length > 0) this.#options.onCommit();
  }

  /** Forgets all that is not committed, and says so to everyone who waits for it. */
  async #rollBack(reason: unknown): Promise<void> {
    const { name, log } = this.#options;
    log({
      level: 'error',
      source: 'kinesis',
      message: `Could not write the log of ${name}`,
      reason,
    });
    this.#release();
    const refused = this.#waiting;
    this.#waiting = [];
    const keep = this.#segments.findLastIndex(({ committedFrames }) => committedFrames > 0) + 1;
    const dropped = this.#segments.splice(keep);
    const tail = this.#segments.at(-1);
    if (tail?.image) cutImage(tail.image, tail.committedFrames);
    try {
      if (tail !== undefined) await truncateToCommitted(tail);
      await Promise.all(dropped.map(closeSegment));
      for (const segment of dropped) removeSegment(segment);
    } catch (error) {
      this.#broken = error;
    }
    for (const { reject } of refused) reject(reason);
  }

  /** A greater index than `index` when the record there has expired. */
  #horizon(index: number, expiredAtMs: number): number {
    const [first] = this.#from(index);
    if (first === undefined || first.arrivedAtMs > expiredAtMs) return index;
    return this.indexAtTime(expiredAtMs + 1);
  }

  *#from(index: number): Generator<Frame> {
    const start = this.#segments.findLastIndex(({ base }) => base <= index);
    for (const segment of this.#segments.slice(Math.max(start, 0))) {
      if (segment.committedFrames === 0) return;
      const image = this.#image(segment);
      const frames = Math.min(segment.committedFrames, image.offsets.length);
      for (let position = positionOfIndex(image, index); position < frames; position += 1) {
        const frame = frameAt(image, position);
        if (frame !== undefined) yield frame;
      }
    }
  }

  #image(segment: Segment): SegmentImage {
    const image = segment.image ?? this.#load(segment);
    if (segment.sealed) this.#keepInMemory(segment);
    return image;
  }

  #keepInMemory(segment: Segment): void {
    if (segment.path !== undefined) this.#options.cache.touch(segment);
  }

  #load(segment: Segment): SegmentImage {
    const { path = '' } = segment;
    const { image, damagedBytes } = loadImage(path);
    if (damagedBytes > 0) {
      this.#options.log({
        level: 'error',
        source: 'kinesis',
        message: `${damagedBytes} bytes in the log of ${this.#options.name} are damaged: their records are lost`,
        file: path,
        offset: image.end,
      });
    }
    segment.image = image;
    return image;
  }

  #dropSurplus(): void {
    let bytes = this.#segments.reduce((sum, segment) => sum + segment.committedBytes, 0);
    while (bytes > this.#options.maxBytes && this.#segments[0]?.sealed === true) {
      bytes -= this.#segments[0]?.committedBytes ?? 0;
      this.#dropOldest();
      this.#sayFull();
    }
  }

  #sayFull(): void {
    if (!this.#saysWhenFull) return;
    this.#saysWhenFull = false;
    const { name, maxBytes, log } = this.#options;
    const message = `${name} holds more than ${maxBytes} bytes: its oldest records go before their retention ends`;
    log({ level: 'warn', source: 'kinesis', message });
  }

  #dropOldest(): void {
    const segment = this.#segments.shift();
    if (segment === undefined) return;
    this.#options.cache.forget(segment);
    removeSegment(segment);
  }
}
