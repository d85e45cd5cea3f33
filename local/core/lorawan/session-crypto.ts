import { timingSafeEqual } from 'node:crypto';
import { BLOCK_BYTES, cmac, encryptBlocks } from './aes.ts';
import { MIC_BYTES } from './frame.ts';
import { octetsOf } from './octets.ts';

export type Direction = 'up' | 'down';

/** Which frame of a session the block is for. */
export interface FramePlace {
  readonly direction: Direction;
  /** 8 hexadecimal digits. */
  readonly devAddr: string;
  /** All 32 bits of the counter. */
  readonly fCnt: number;
}

function placeBlock(first: number, { direction, devAddr, fCnt }: FramePlace): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.writeUInt8(first, 0);
  block.writeUInt8(direction === 'up' ? 0 : 1, 5);
  octetsOf(devAddr).copy(block, 6);
  block.writeUInt32LE(fCnt, 10);
  return block;
}

/**
 * The MIC of a data frame.
 *
 * @param covered  MHDR to FRMPayload, as they are sent
 * @see LoRaWAN 1.0.3, 4.4
 */
export function dataMic(nwkSKey: Uint8Array, place: FramePlace, covered: Uint8Array): Buffer {
  const block = placeBlock(0x49, place);
  block.writeUInt8(covered.length, 15);
  return cmac(nwkSKey, Buffer.concat([block, covered])).subarray(0, MIC_BYTES);
}

/** In constant time, so that nobody learns how much of a forged MIC was right. */
export const sameMic = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other);

/**
 * Encrypts a FRMPayload, or decrypts it: both are the same exclusive or.
 *
 * @param key  AppSKey, and NwkSKey for FPort 0
 * @see LoRaWAN 1.0.3, 4.3.3
 */
export function cryptPayload(key: Uint8Array, place: FramePlace, payload: Uint8Array): Buffer {
  const count = Math.ceil(payload.length / BLOCK_BYTES);
  if (count === 0) return Buffer.alloc(0);
  const blocks = Buffer.concat(
    Array.from({ length: count }, (_, index) => {
      const block = placeBlock(0x01, place);
      block.writeUInt8(index + 1, 15);
      return block;
    }),
  );
  const stream = encryptBlocks(key, blocks);
  return Buffer.from(payload.map((byte, at) => byte ^ (stream[at] ?? 0)));
}
