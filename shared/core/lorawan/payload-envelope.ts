import { createCipheriv, createDecipheriv } from 'node:crypto';
import { reject } from '../errors.ts';

/*
 * An encryption inside FRMPayload, which the network decrypts and then sees no more than this:
 *
 *   byte 0      0x10 + length of the tag: 4, 6 or 8
 *   bytes 1-4   counter of the device, big-endian; it goes on over joins, and never repeats under a key
 *   then        the payload, AES-128-CCM (RFC 3610, NIST SP 800-38C)
 *   at the end  the tag
 *
 * The nonce has 13 bytes: DevEUI (8, as printed), counter (4), direction (0 up, 1 down). Authenticated, not encrypted:
 * byte 0 and FPort.
 */

const VERSION = 0x10;
const HEADER_BYTES = 5;
const TAG_BYTES = [4, 6, 8] as const;
type TagBytes = (typeof TAG_BYTES)[number];

export interface Address {
  /** 16 hexadecimal digits. */
  readonly devEui: string;
  readonly fPort: number;
  readonly direction: 'up' | 'down';
}

export interface Opened {
  readonly payload: Buffer;
  readonly counter: number;
}

/**
 * @param key  16 bytes, the device's own
 * @throws {RejectedError} `DECRYPTION_FAILED`: no envelope, another key, or not one bit as it was sent
 */
export function openEnvelope(key: Uint8Array, address: Address, frame: Uint8Array): Opened {
  const bytes = Buffer.from(frame);
  const tagLength = TAG_BYTES.find((length) => bytes[0] === VERSION + length);
  if (tagLength === undefined || bytes.length < HEADER_BYTES + tagLength) {
    return reject(
      'DECRYPTION_FAILED',
      'PayloadData',
      'is no envelope: wants version 1 and a tag of 4, 6 or 8 bytes',
    );
  }
  const counter = bytes.readUInt32BE(1);
  const end = bytes.length - tagLength;
  const decipher = createDecipheriv('aes-128-ccm', key, nonceOf(address, counter), {
    authTagLength: tagLength,
  });
  decipher.setAuthTag(bytes.subarray(end));
  decipher.setAAD(authenticated(tagLength, address), { plaintextLength: end - HEADER_BYTES });
  try {
    const payload = decipher.update(bytes.subarray(HEADER_BYTES, end));
    decipher.final();
    return { payload, counter };
  } catch {
    return reject(
      'DECRYPTION_FAILED',
      'PayloadData',
      'does not verify: another key, counter, FPort or device, or altered',
    );
  }
}

/** What a device does; for downlinks, tests and simulated devices. */
export function sealEnvelope(
  key: Uint8Array,
  address: Address,
  { payload, counter }: Pick<Opened, 'counter'> & { readonly payload: Uint8Array },
  tagLength: TagBytes = 8,
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(VERSION + tagLength, 0);
  header.writeUInt32BE(counter, 1);
  const cipher = createCipheriv('aes-128-ccm', key, nonceOf(address, counter), {
    authTagLength: tagLength,
  });
  cipher.setAAD(authenticated(tagLength, address), { plaintextLength: payload.length });
  const sealed = cipher.update(payload);
  cipher.final();
  return Buffer.concat([header, sealed, cipher.getAuthTag()]);
}

function nonceOf({ devEui, direction }: Address, counter: number): Buffer {
  const nonce = Buffer.alloc(13);
  Buffer.from(devEui.padStart(16, '0'), 'hex').copy(nonce);
  nonce.writeUInt32BE(counter, 8);
  nonce.writeUInt8(direction === 'up' ? 0 : 1, 12);
  return nonce;
}

const authenticated = (tagLength: TagBytes, { fPort }: Address): Buffer =>
  Buffer.from([VERSION + tagLength, fPort]);
