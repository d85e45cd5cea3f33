import { BLOCK_BYTES, cmac, decryptBlocks, encryptBlocks } from './aes.ts';
import type { SessionKeys } from './data-frame.ts';
import { FrameFault } from './fault.ts';
import { MIC_BYTES, mhdrOf, mTypeOf } from './frame.ts';
import { octetsOf, reversedHex } from './octets.ts';

/** What a join-accept grants. */
export interface JoinGrant {
  /** 24 bits, never given twice to a device. */
  readonly joinNonce: number;
  /** 6 hexadecimal digits. */
  readonly netId: string;
  /** 8 hexadecimal digits. */
  readonly devAddr: string;
  readonly rx1DataRateOffset: number;
  readonly rx2DataRate: number;
  /** From the end of an uplink to RX1. */
  readonly rxDelaySeconds: number;
  /** 16 bytes as the region has them. */
  readonly cfList?: Uint8Array;
}

const BODY_BYTES = 12;
const CF_LIST_BYTES = 16;

/** The MIC of a join-request or join-accept: of everything before it, in clear. @see LoRaWAN 1.0.3, 6.2.4 */
export const joinMic = (appKey: Uint8Array, covered: Uint8Array): Buffer =>
  cmac(appKey, covered).subarray(0, MIC_BYTES);

/** A join-request as a device sends it. */
export function buildJoinRequest(
  appKey: Uint8Array,
  { joinEui, devEui, devNonce }: { joinEui: string; devEui: string; devNonce: number },
): Buffer {
  const nonce = Buffer.alloc(2);
  nonce.writeUInt16LE(devNonce);
  const header = Uint8Array.of(mhdrOf('JoinRequest'));
  const covered = Buffer.concat([header, octetsOf(joinEui), octetsOf(devEui), nonce]);
  return Buffer.concat([covered, joinMic(appKey, covered)]);
}

/**
 * A join-accept as it goes on the air. The network "decrypts" it, so that a device needs AES encryption only.
 * @see LoRaWAN 1.0.3, 6.2.5
 */
export function buildJoinAccept(appKey: Uint8Array, grant: JoinGrant): Buffer {
  const header = Uint8Array.of(mhdrOf('JoinAccept'));
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUIntLE(grant.joinNonce, 0, 3);
  octetsOf(grant.netId).copy(body, 3);
  octetsOf(grant.devAddr).copy(body, 6);
  body.writeUInt8((grant.rx1DataRateOffset << 4) | grant.rx2DataRate, 10);
  body.writeUInt8(grant.rxDelaySeconds, 11);
  const clear = Buffer.concat([body, grant.cfList ?? new Uint8Array()]);
  const mic = joinMic(appKey, Buffer.concat([header, clear]));
  return Buffer.concat([header, decryptBlocks(appKey, Buffer.concat([clear, mic]))]);
}

/**
 * Reads a join-accept as a device does.
 *
 * @throws {FrameFault} when it is none, or none of this key
 */
export function openJoinAccept(appKey: Uint8Array, phyPayload: Uint8Array): JoinGrant {
  const bytes = Buffer.from(phyPayload);
  const encrypted = bytes.subarray(1);
  const lengths = [BODY_BYTES + MIC_BYTES, BODY_BYTES + CF_LIST_BYTES + MIC_BYTES];
  if (mTypeOf(bytes[0] ?? 0xff) !== 'JoinAccept' || !lengths.includes(encrypted.length))
    throw new FrameFault('not a join-accept: it has 17 or 33 bytes and its own message type');
  const clear = encryptBlocks(appKey, encrypted);
  const covered = clear.subarray(0, -MIC_BYTES);
  const mic = joinMic(appKey, Buffer.concat([bytes.subarray(0, 1), covered]));
  if (!mic.equals(clear.subarray(-MIC_BYTES)))
    throw new FrameFault("the join-accept's MIC is not of this AppKey");
  const dlSettings = clear.readUInt8(10);
  const cfList = covered.subarray(BODY_BYTES);
  return {
    joinNonce: clear.readUIntLE(0, 3),
    netId: reversedHex(clear.subarray(3, 6)),
    devAddr: reversedHex(clear.subarray(6, 10)),
    rx1DataRateOffset: (dlSettings >> 4) & 0b111,
    rx2DataRate: dlSettings & 0x0f,
    rxDelaySeconds: Math.max(1, clear.readUInt8(11) & 0x0f),
    ...(cfList.length > 0 && { cfList }),
  };
}

/** The keys that both sides derive of a join. @see LoRaWAN 1.0.3, 6.2.5 */
export function sessionKeys(
  appKey: Uint8Array,
  { joinNonce, netId }: Pick<JoinGrant, 'joinNonce' | 'netId'>,
  devNonce: number,
): SessionKeys {
  const derive = (first: number): Buffer => {
    const block = Buffer.alloc(BLOCK_BYTES);
    block.writeUInt8(first, 0);
    block.writeUIntLE(joinNonce, 1, 3);
    octetsOf(netId).copy(block, 4);
    block.writeUInt16LE(devNonce, 7);
    return encryptBlocks(appKey, block);
  };
  return { nwkSKey: derive(0x01), appSKey: derive(0x02) };
}
