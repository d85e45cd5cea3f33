import { createRequire } from 'node:module';
import type library from 'lora-packet';

/** An independent implementation of the frames of LoRaWAN 1.0.x; its types say `default` where there is none. */
export const oracle: typeof library.default = createRequire(import.meta.url)('lora-packet');

/** The upper 16 bits of a counter as it wants them: in the order of the air. */
export function upperBits(fCnt: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(Math.floor(fCnt / 0x1_0000));
  return bytes;
}
