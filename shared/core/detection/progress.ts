/*
 * Which readings a device's state has counted: all up to a place in the stream, and by id the last ones, since what is
 * put on the stream once more has another place.
 */

export interface Progress {
  /** Sequence number of the last record; 0 before the first. */
  readonly upTo: bigint;
  /** Beginnings of the ids of the last readings, the newest last. */
  readonly recent: readonly string[];
}

export const NO_PROGRESS: Progress = { upTo: 0n, recent: [] };

/** An id is a digest of 22 characters of base64url; of these, so many are kept: 48 bits. */
const KEPT_CHARS = 8;
const KEPT_BYTES = 6;
const RECENT_LEAST = 8;
const RECENT_MOST = 64;

/**
 * Takes a record in, unless it was counted before.
 *
 * @returns none where it was
 */
export function advance(
  { upTo, recent }: Progress,
  sequenceNumber: string,
  readingId: string,
): { readonly progress: Progress; readonly isNew: boolean } {
  const place = BigInt(sequenceNumber);
  if (place <= upTo) return { progress: { upTo, recent }, isNew: false };
  const kept = readingId.slice(0, KEPT_CHARS);
  if (recent.includes(kept)) return { progress: { upTo: place, recent }, isNew: false };
  return { progress: { upTo: place, recent: [...recent, kept].slice(-RECENT_MOST) }, isNew: true };
}

const VERSION = 1;

/**
 * Version, length of the sequence number, sequence number (big-endian), ids.
 *
 * @param roomBytes  what all of it may take; `RECENT_LEAST` ids are kept whatever that is
 */
export function packProgress({ upTo, recent }: Progress, roomBytes: number): Uint8Array {
  const digits = upTo.toString(16);
  const place = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const fitting = Math.floor((roomBytes - 2 - place.length) / KEPT_BYTES);
  const ids = recent.slice(-Math.max(RECENT_LEAST, fitting));
  return Buffer.concat([
    Uint8Array.of(VERSION, place.length),
    place,
    Buffer.from(ids.join(''), 'base64url'),
  ]);
}

/** @returns nothing when the bytes cannot be told apart: an unknown version, or cut short */
export function unpackProgress(bytes: Uint8Array): Progress | undefined {
  const [version, length = 0] = bytes;
  const ids = bytes.subarray(2 + length);
  if (version !== VERSION || length === 0 || bytes.length < 2 + length) return undefined;
  if (ids.length % KEPT_BYTES !== 0) return undefined;
  const text = Buffer.from(ids).toString('base64url');
  return {
    upTo: BigInt(`0x${Buffer.from(bytes.subarray(2, 2 + length)).toString('hex')}`),
    recent: text.match(/.{8}/g) ?? [],
  };
}
