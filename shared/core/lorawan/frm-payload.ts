import { createCipheriv } from 'node:crypto';
import { reject } from '../errors.ts';

const BLOCK_BYTES = 16;

export interface FrameAddress {
  /** 8 hexadecimal digits, as printed. */
  readonly devAddr: string;
  /** All 32 bits of it. */
  readonly fCnt: number;
  readonly direction: 'up' | 'down';
}

/**
 * Encrypts or decrypts an FRMPayload, which is the same. It proves nothing: the frame's MIC does, and the network
 * server has checked it.
 *
 * @param appSKey  16 bytes
 * @throws {RejectedError} `MALFORMED_UPLINK` when the address is none
 * @see LoRaWAN 1.0.4, section 4.3.3
 */
export function cryptFrmPayload(
  appSKey: Uint8Array,
  { devAddr, fCnt, direction }: FrameAddress,
  payload: Uint8Array,
): Buffer {
  if (!/^[0-9a-fA-F]{8}$/.test(devAddr)) {
    reject('MALFORMED_UPLINK', 'WirelessMetadata.LoRaWAN.DevAddr', 'wants 8 hexadecimal digits');
  }
  const blocks = Buffer.alloc(Math.ceil(payload.length / BLOCK_BYTES) * BLOCK_BYTES);
  for (let block = 0; block * BLOCK_BYTES < payload.length; block += 1) {
    const at = block * BLOCK_BYTES;
    blocks.writeUInt8(1, at);
    blocks.writeUInt8(direction === 'up' ? 0 : 1, at + 5);
    Buffer.from(devAddr, 'hex')
      .reverse()
      .copy(blocks, at + 6);
    blocks.writeUInt32LE(fCnt, at + 10);
    blocks.writeUInt8(block + 1, at + 15);
  }
  const cipher = createCipheriv('aes-128-ecb', appSKey, null).setAutoPadding(false);
  const stream = cipher.update(blocks);
  return Buffer.from(payload.map((byte, at) => byte ^ (stream[at] ?? 0)));
}
