import { buildData, type SessionKeys } from '../core/lorawan/data-frame.ts';
import { mTypeOf } from '../core/lorawan/frame.ts';
import { buildJoinRequest, openJoinAccept, sessionKeys } from '../core/lorawan/join.ts';
import { reversedHex } from '../core/lorawan/octets.ts';
import { cryptPayload, dataMic, sameMic } from '../core/lorawan/session-crypto.ts';

/** What an OTAA device has from the factory, in hexadecimal digits. Holds the key: never log one. */
export interface LorawanIdentity {
  readonly devEui: string;
  readonly joinEui: string;
  readonly appKey: string;
}

/** What a device understood of a downlink. */
export interface Received {
  readonly ack: boolean;
  readonly fPort: number | undefined;
  readonly payload: Buffer;
  readonly confirmed: boolean;
}

interface Session extends SessionKeys {
  readonly devAddr: string;
  fCntUp: number;
  fCntDown: number | undefined;
}

/**
 * A LoRaWAN 1.0.x device of class A: real frames, no radio.
 *
 * @param nextDevNonce  one that the device has never used
 */
export function createLorawanDevice(identity: LorawanIdentity, nextDevNonce: () => number) {
  const appKey = Buffer.from(identity.appKey, 'hex');
  let devNonce: number | undefined;
  let session: Session | undefined;
  let owesAck = false;

  return {
    isJoined: (): boolean => session !== undefined,

    joinRequest(): Buffer {
      devNonce = nextDevNonce();
      return buildJoinRequest(appKey, { ...identity, devNonce });
    },

    /** @throws {FrameFault} when the join-accept is not for this device */
    acceptJoin(phyPayload: Uint8Array): void {
      if (devNonce === undefined) throw new Error('the device has not asked to join');
      const grant = openJoinAccept(appKey, phyPayload);
      const keys = sessionKeys(appKey, grant, devNonce);
      session = { ...keys, devAddr: grant.devAddr, fCntUp: 0, fCntDown: undefined };
    },

    /** A frame with the next counter; it carries the acknowledgement that the device owes. */
    uplink(fPort: number, payload: Uint8Array, confirmed = false): Buffer {
      if (session === undefined) throw new Error('the device has not joined');
      const { devAddr, fCntUp } = session;
      const type = confirmed ? 'ConfirmedDataUp' : 'UnconfirmedDataUp';
      const content = { type, devAddr, fCnt: fCntUp, fPort, payload, ack: owesAck } as const;
      session.fCntUp += 1;
      owesAck = false;
      return buildData(content, session);
    },

    /** @returns undefined for a frame that is another's, forged or old */
    receive(phyPayload: Uint8Array): Received | undefined {
      const opened = session && openDownlink(session, Buffer.from(phyPayload));
      if (opened !== undefined) owesAck ||= opened.confirmed;
      return opened;
    },
  };
}

export type LorawanDevice = ReturnType<typeof createLorawanDevice>;

const HEADER_BYTES = 8;

function openDownlink(session: Session, bytes: Buffer): Received | undefined {
  const type = mTypeOf(bytes[0] ?? 0);
  const isData = type === 'UnconfirmedDataDown' || type === 'ConfirmedDataDown';
  if (!isData || reversedHex(bytes.subarray(1, 5)) !== session.devAddr) return undefined;
  const fCnt = wholeCounter(session.fCntDown, bytes.readUInt16LE(6));
  const place = { direction: 'down', devAddr: session.devAddr, fCnt } as const;
  const covered = bytes.subarray(0, -4);
  if (!sameMic(dataMic(session.nwkSKey, place, covered), bytes.subarray(-4))) return undefined;
  if (fCnt <= (session.fCntDown ?? -1)) return undefined;
  session.fCntDown = fCnt;
  const control = bytes.readUInt8(5);
  const body = covered.subarray(HEADER_BYTES + (control & 0x0f));
  const fPort = body[0];
  const key = fPort === 0 ? session.nwkSKey : session.appSKey;
  return {
    ack: (control & 0x20) !== 0,
    confirmed: type === 'ConfirmedDataDown',
    fPort,
    payload: cryptPayload(key, place, body.subarray(1)),
  };
}

/** The least counter over the last that ends in these 16 bits; the last itself for the same ones. */
function wholeCounter(last = 0, fCnt16: number): number {
  const same = last - (last % 0x1_0000) + fCnt16;
  return same >= last ? same : same + 0x1_0000;
}
