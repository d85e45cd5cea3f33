import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { frameArrival, frameBytes } from './stream-frame.ts';
import { frameAt, type SegmentImage, scanImage, withCapacity } from './stream-image.ts';

/** A run of a shard's records; readers see the committed frames only. */
export interface Segment {
  /** No frame in here has a smaller index. */
  readonly base: number;
  /** Absent when the segment lives in memory alone. */
  readonly path?: string;
  /** Undefined while the frames are on disk only. */
  image: SegmentImage | undefined;
  /** Arrival of the first frame; undefined while there is none. */
  firstArrivedAtMs: number | undefined;
  committedBytes: number;
  committedFrames: number;
  /** Full: nothing is appended any more. */
  sealed: boolean;
  handle: FileHandle | undefined;
}

export function newSegment(base: number, image: SegmentImage, path?: string): Segment {
  return {
    base,
    ...(path !== undefined && { path }),
    image,
    firstArrivedAtMs: undefined,
    committedBytes: 0,
    committedFrames: 0,
    sealed: false,
    handle: undefined,
  };
}

/**
 * A full segment of an earlier run. Only the head of its first frame is looked at until someone reads it.
 *
 * @returns undefined when the file holds no frame
 */
export function openSealed(base: number, path: string): Segment | undefined {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(frameBytes(0, 0));
    if (readSync(file, head, 0, head.length, 0) < head.length) return undefined;
    return {
      base,
      path,
      image: undefined,
      firstArrivedAtMs: frameArrival(head, 0),
      committedBytes: fstatSync(file).size,
      committedFrames: Number.POSITIVE_INFINITY,
      sealed: true,
      handle: undefined,
    };
  } finally {
    closeSync(file);
  }
}

/**
 * The last segment of an earlier run, to be continued. What a crash left half-written is cut off,
 * and the rest is synced before anyone may read it.
 *
 * @returns the segment, and how many bytes were cut
 */
export function openTail(base: number, path: string, capacity: number) {
  const { image, damagedBytes } = loadImage(path);
  const file = openSync(path, 'r+');
  try {
    if (damagedBytes > 0) ftruncateSync(file, image.end);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  const segment: Segment = {
    ...newSegment(base, withCapacity(image, capacity), path),
    firstArrivedAtMs: frameAt(image, 0)?.arrivedAtMs,
    committedBytes: image.end,
    committedFrames: image.offsets.length,
  };
  return { segment, damagedBytes };
}

/** The whole frames of a segment's file, and how many bytes behind them are none. */
export function loadImage(path: string): { image: SegmentImage; damagedBytes: number } {
  const bytes = readFileSync(path);
  const image = scanImage(bytes);
  return { image, damagedBytes: bytes.length - image.end };
}

/**
 * Puts the image's bytes up to `end` on disk: written, then `fdatasync`ed, so that they outlive a
 * loss of power and not just of the process. Without a path there is nothing to do.
 */
export async function persist(segment: Segment, image: SegmentImage, end: number): Promise<void> {
  if (segment.path === undefined) return;
  segment.handle ??= await openForWriting(segment.path, segment.committedBytes === 0);
  let written = segment.committedBytes;
  while (written < end) {
    const part = image.buffer.subarray(written, end);
    written += (await segment.handle.write(part, 0, part.length, written)).bytesWritten;
  }
  await segment.handle.datasync();
}

async function openForWriting(path: string, isNew: boolean): Promise<FileHandle> {
  if (!isNew) return await open(path, 'r+');
  const handle = await open(path, 'w');
  await syncFolder(dirname(path));
  return handle;
}

/** Makes the names of new files as durable as their content. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Takes back what a failed {@link persist} may have written. */
export async function truncateToCommitted(segment: Segment): Promise<void> {
  await segment.handle?.truncate(segment.committedBytes);
}

export async function closeSegment(segment: Segment): Promise<void> {
  const { handle } = segment;
  segment.handle = undefined;
  await handle?.close();
}

export function removeSegment(segment: Segment): void {
  segment.image = undefined;
  if (segment.path !== undefined) rmSync(segment.path, { force: true });
}
