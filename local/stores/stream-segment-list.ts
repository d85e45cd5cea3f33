import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../core/log.ts';
import type { Frame } from './stream-frame.ts';
import {
  frameAt,
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
  removeSegment,
  type Segment,
} from './stream-segment.ts';

export interface SegmentListOptions {
  /** Stream and shard, for people. */
  readonly name: string;
  /** Absent: memory only. */
  readonly directory?: string;
  readonly segmentBytes: number;
  /** Above this the oldest segments go, whatever their age. */
  readonly maxBytes: number;
  readonly cache: ImageCache;
  readonly log: Log;
}

const SEGMENT_FILE = /^\d{16}\.log$/;

const fileName = (base: number): string => `${String(base).padStart(16, '0')}.log`;

/** The segments of one shard, oldest first; the last one, the tail, takes new records. */
export class SegmentList {
  readonly #options: SegmentListOptions;
  readonly #segments: Segment[] = [];
  #saysWhenFull: boolean = true;

  /** Takes up what an earlier run left in the directory. */
  constructor(options: SegmentListOptions) {
    this.#options = options;
    const { directory } = options;
    if (directory === undefined) return;
    mkdirSync(directory, { recursive: true });
    const files = readdirSync(directory).filter((file) => SEGMENT_FILE.test(file));
    const bases = files.map((file) => Number.parseInt(file, 10)).sort((a, b) => a - b);
    for (const base of bases) {
      const path = join(directory, fileName(base));
      const segment = base === bases.at(-1) ? this.#reopen(base, path) : openSealed(base, path);
      if (segment !== undefined) this.#segments.push(segment);
    }
  }

  get tail(): Segment | undefined {
    return this.#segments.at(-1);
  }

  /** Begins a new tail with room for at least so many bytes. */
  add(base: number, leastBytes: number): { segment: Segment; image: SegmentImage } {
    const { directory, segmentBytes } = this.#options;
    const path = directory === undefined ? undefined : join(directory, fileName(base));
    const image = newImage(Math.max(segmentBytes, leastBytes));
    const segment = newSegment(base, image, path);
    this.#segments.push(segment);
    return { segment, image };
  }

  /** Segments that hold more than was committed. */
  uncommitted(): Segment[] {
    return this.#segments.filter(
      ({ image, committedBytes }) => image !== undefined && committedBytes < image.end,
    );
  }

  /** Takes out the newest segments that hold nothing committed. */
  takeUncommitted(): Segment[] {
    const kept = this.#segments.findLastIndex(({ committedFrames }) => committedFrames > 0) + 1;
    return this.#segments.splice(kept);
  }

  /** Full and committed segments need their file open no more, and their memory only while they are read. */
  async sealFull(): Promise<void> {
    for (const segment of this.#segments.slice(0, -1)) {
      if (segment.sealed || segment.committedBytes !== segment.image?.end) continue;
      segment.sealed = true;
      await closeSegment(segment);
      this.#keepInMemory(segment);
      this.#dropSurplus();
    }
  }

  /** Committed frames from this index on. */
  *framesFrom(index: number): Generator<Frame> {
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

  /** Index of the first frame that arrived at this time or later; undefined when there is none. */
  indexAtTime(arrivedAtMs: number): number | undefined {
    const later = this.#segments.findIndex(
      ({ firstArrivedAtMs = Number.POSITIVE_INFINITY }) => firstArrivedAtMs >= arrivedAtMs,
    );
    const before = this.#segments.at(later < 0 ? -1 : later - 1);
    if (later !== 0 && before !== undefined) {
      const image = this.#image(before);
      const frame = frameAt(image, positionOfTime(image, arrivedAtMs));
      if (frame !== undefined) return frame.index;
    }
    return this.#segments[later]?.base;
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

  async close(): Promise<void> {
    await Promise.all(this.#segments.map(closeSegment));
  }

  #reopen(base: number, path: string): Segment {
    const { name, segmentBytes, log } = this.#options;
    const { segment, damagedBytes } = openTail(base, path, segmentBytes);
    if (damagedBytes > 0) {
      const message = `Cut ${damagedBytes} bytes of an unfinished write off the log of ${name}`;
      const recordsKept = segment.committedFrames;
      log({ level: 'warn', source: 'kinesis', message, file: path, recordsKept });
    }
    return segment;
  }

  #image(segment: Segment): SegmentImage {
    const image = segment.image ?? this.#load(segment);
    if (segment.sealed) this.#keepInMemory(segment);
    return image;
  }

  #load(segment: Segment): SegmentImage {
    const { name, log } = this.#options;
    const { path: file = '' } = segment;
    const { image, damagedBytes } = loadImage(file);
    if (damagedBytes > 0) {
      const message = `${damagedBytes} bytes in the log of ${name} are damaged: their records are lost`;
      log({ level: 'error', source: 'kinesis', message, file, offset: image.end });
    }
    segment.image = image;
    return image;
  }

  #keepInMemory(segment: Segment): void {
    if (segment.path !== undefined) this.#options.cache.touch(segment);
  }

  #dropSurplus(): void {
    const { name, maxBytes, log } = this.#options;
    let bytes = this.#segments.reduce((sum, segment) => sum + segment.committedBytes, 0);
    while (bytes > maxBytes && this.#segments[0]?.sealed === true) {
      bytes -= this.#segments[0].committedBytes;
      this.#dropOldest();
      if (this.#saysWhenFull) {
        const message = `${name} holds more than ${maxBytes} bytes: its oldest records go before their retention ends`;
        log({ level: 'warn', source: 'kinesis', message });
      }
      this.#saysWhenFull = false;
    }
  }

  #dropOldest(): void {
    const segment = this.#segments.shift();
    if (segment === undefined) return;
    this.#options.cache.forget(segment);
    removeSegment(segment);
  }
}
