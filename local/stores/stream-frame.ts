import { crc32 } from 'node:zlib';

/** One record as it lies in a segment. `data` is a view on the segment's memory. */
export interface Frame {
  readonly index: number;
  readonly arrivedAtMs: number;
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

// u32 bytes after this field and the next · u32 CRC-32 of them · f64 index · f64 arrival, ms · u16 key bytes · key · data
const LENGTH = 0;
const CHECKSUM = 4;
const INDEX = 8;
const ARRIVED_AT = 16;
const KEY_LENGTH = 24;
const KEY = 26;

/** Bytes a frame takes. */
export function frameBytes(keyBytes: number, dataBytes: number): number {
  return KEY + keyBytes + dataBytes;
}

/** @returns the offset behind the frame; the caller has seen to it that there is room. */
export function writeFrame(buffer: Buffer, offset: number, frame: Frame): number {
  const keyBytes = buffer.write(frame.partitionKey, offset + KEY);
  buffer.set(frame.data, offset + KEY + keyBytes);
  const end = offset + frameBytes(keyBytes, frame.data.length);
  buffer.writeUInt32LE(end - offset - INDEX, offset + LENGTH);
  buffer.writeDoubleLE(frame.index, offset + INDEX);
  buffer.writeDoubleLE(frame.arrivedAtMs, offset + ARRIVED_AT);
  buffer.writeUInt16LE(keyBytes, offset + KEY_LENGTH);
  buffer.writeUInt32LE(crc32(buffer.subarray(offset + INDEX, end)), offset + CHECKSUM);
  return end;
}

/** @returns the offset behind a whole and unharmed frame, undefined when there is none at `offset`. */
export function frameEnd(buffer: Buffer, offset: number): number | undefined {
  if (offset + KEY > buffer.length) return undefined;
  const end = offset + INDEX + buffer.readUInt32LE(offset + LENGTH);
  if (end > buffer.length || end < offset + KEY) return undefined;
  if (offset + KEY + buffer.readUInt16LE(offset + KEY_LENGTH) > end) return undefined;
  const sum = crc32(buffer.subarray(offset + INDEX, end));
  return sum === buffer.readUInt32LE(offset + CHECKSUM) ? end : undefined;
}

export function frameIndex(buffer: Buffer, offset: number): number {
  return buffer.readDoubleLE(offset + INDEX);
}

export function frameArrival(buffer: Buffer, offset: number): number {
  return buffer.readDoubleLE(offset + ARRIVED_AT);
}

/** Reads a frame that {@link frameEnd} found whole. */
export function readFrame(buffer: Buffer, offset: number): Frame {
  const dataStart = offset + KEY + buffer.readUInt16LE(offset + KEY_LENGTH);
  const end = offset + INDEX + buffer.readUInt32LE(offset + LENGTH);
  return {
    index: frameIndex(buffer, offset),
    arrivedAtMs: frameArrival(buffer, offset),
    partitionKey: buffer.toString('utf8', offset + KEY, dataStart),
    data: buffer.subarray(dataStart, end),
  };
}
