import { createCipheriv, createDecipheriv } from 'node:crypto';

/** Bytes of a block and of each key that LoRaWAN has. */
export const BLOCK_BYTES = 16;

const ZERO_BLOCK = Buffer.alloc(BLOCK_BYTES);
/** What a shifted-out bit is folded back with. @see RFC 4493, 2.3 */
const RB = 0x87;

/**
 * AES-128 over whole blocks, each for itself.
 *
 * @throws {RangeError} when `key` has not 16 bytes or `blocks` are not whole
 */
export function encryptBlocks(key: Uint8Array, blocks: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(blocks), cipher.final()]);
}

/** The inverse of {@link encryptBlocks}. */
export function decryptBlocks(key: Uint8Array, blocks: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([decipher.update(blocks), decipher.final()]);
}

/** AES-CMAC, all 16 bytes of it. @see RFC 4493 */
export function cmac(key: Uint8Array, message: Uint8Array): Buffer {
  const whole = message.length > 0 && message.length % BLOCK_BYTES === 0;
  const first = doubled(encryptBlocks(key, ZERO_BLOCK));
  const subkey = whole ? first : doubled(first);
  const padded = Buffer.alloc(
    whole ? message.length : (Math.floor(message.length / BLOCK_BYTES) + 1) * BLOCK_BYTES,
  );
  padded.set(message);
  if (!whole) padded[message.length] = 0x80;
  const last = padded.length - BLOCK_BYTES;
  for (const [at, byte] of subkey.entries())
    padded.writeUInt8(padded.readUInt8(last + at) ^ byte, last + at);
  const cipher = createCipheriv('aes-128-cbc', key, ZERO_BLOCK).setAutoPadding(false);
  return Buffer.concat([cipher.update(padded), cipher.final()]).subarray(-BLOCK_BYTES);
}

/** Multiplies by x in GF(2^128). */
function doubled(block: Buffer): Buffer {
  const value = BigInt(`0x${block.toString('hex')}`) << 1n;
  const folded = BigInt.asUintN(128, value) ^ (value >> 128n === 1n ? BigInt(RB) : 0n);
  return Buffer.from(folded.toString(16).padStart(BLOCK_BYTES * 2, '0'), 'hex');
}
