import {
  type Frame,
  frameArrival,
  frameBytes,
  frameEnd,
  frameIndex,
  readFrame,
  writeFrame,
} from './stream-frame.ts';

/** A segment's frames in memory, byte for byte as in its file, and where each begins. */
export interface SegmentImage {
  readonly buffer: Buffer;
  readonly offsets: number[];
  /** Bytes in use. */
  end: number;
}

export function newImage(capacity: number): SegmentImage {
  return { buffer: Buffer.allocUnsafeSlow(capacity), offsets: [], end: 0 };
}

/** The frames at the beginning of `bytes`, up to the first that is torn or harmed. */
export function scanImage(bytes: Buffer): SegmentImage {
  const image: SegmentImage = { buffer: bytes, offsets: [], end: 0 };
  let lastIndex = -1;
  for (;;) {
    const next = frameEnd(bytes, image.end);
    if (next === undefined || frameIndex(bytes, image.end) <= lastIndex) return image;
    lastIndex = frameIndex(bytes, image.end);
    image.offsets.push(image.end);
    image.end = next;
  }
}

/** The same frames with room for more. */
export function withCapacity(image: SegmentImage, capacity: number): SegmentImage {
  const buffer = Buffer.allocUnsafeSlow(Math.max(capacity, image.end));
  image.buffer.copy(buffer, 0, 0, image.end);
  return { buffer, offsets: image.offsets, end: image.end };
}

export function hasRoom(image: SegmentImage, keyBytes: number, dataBytes: number): boolean {
  return image.end + frameBytes(keyBytes, dataBytes) <= image.buffer.length;
}

export function appendFrame(image: SegmentImage, frame: Frame): void {
  image.offsets.push(image.end);
  image.end = writeFrame(image.buffer, image.end, frame);
}

/** Drops the frames from position `frames` on. */
export function cutImage(image: SegmentImage, frames: number): void {
  image.end = image.offsets[frames] ?? image.end;
  image.offsets.length = Math.min(frames, image.offsets.length);
}

export function frameAt(image: SegmentImage, position: number): Frame | undefined {
  const offset = image.offsets[position];
  return offset === undefined ? undefined : readFrame(image.buffer, offset);
}

/** Position of the first frame with this index or a greater one. */
export function positionOfIndex(image: SegmentImage, index: number): number {
  return firstPosition(image, (offset) => frameIndex(image.buffer, offset) >= index);
}

/** Position of the first frame that arrived at this time or later. */
export function positionOfTime(image: SegmentImage, arrivedAtMs: number): number {
  return firstPosition(image, (offset) => frameArrival(image.buffer, offset) >= arrivedAtMs);
}

function firstPosition({ offsets }: SegmentImage, holds: (offset: number) => boolean): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(offsets[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}
