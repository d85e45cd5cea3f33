import type { UplinkFrame } from '../../core/lorawan/frame.ts';
import { candidateCounters, judgeCounter } from '../../core/lorawan/frame-counter.ts';
import { cryptPayload, dataMic, sameMic } from '../../core/lorawan/session-crypto.ts';
import type { Session, WirelessDevice } from './model.ts';

/** A frame that is a device's own and new, opened. */
export interface OpenedUplink {
  readonly kind: 'accepted';
  /** As it is to be stored: session and counter are those of this frame. */
  readonly device: WirelessDevice;
  readonly session: Session;
  readonly fCnt: number;
  readonly payload: Buffer;
}

export type UplinkVerdict =
  | OpenedUplink
  /** The last frame once more: nothing new in it, but it may want its acknowledgement again. */
  | { readonly kind: 'repeated'; readonly device: WirelessDevice; readonly session: Session }
  | {
      readonly kind: 'refused';
      readonly reason: 'UNKNOWN_DEV_ADDR' | 'MIC' | 'REPLAY';
      readonly explanation: string;
      readonly deviceId?: string;
    };

interface Match {
  readonly device: WirelessDevice;
  readonly session: Session;
  readonly fCnt: number;
}

/**
 * Finds whose frame it is: the device, and of its sessions the one, whose key made the MIC.
 *
 * @param devices  those with a session under the frame's DevAddr
 */
export function openUplink(frame: UplinkFrame, devices: readonly WirelessDevice[]): UplinkVerdict {
  if (devices.length === 0) {
    return {
      kind: 'refused',
      reason: 'UNKNOWN_DEV_ADDR',
      explanation: `no device has the address ${frame.devAddr}: it has to join, or is of another network`,
    };
  }
  const match = matchOf(frame, devices);
  if (match === undefined) {
    return {
      kind: 'refused',
      reason: 'MIC',
      explanation: `the MIC is of no session under the address ${frame.devAddr}: forged, damaged, or a counter more than 65,535 ahead`,
    };
  }
  const { device, session, fCnt } = match;
  const verdict = judgeCounter(session.fCntUp, fCnt);
  const mic = frame.mic.toString('hex');
  if (verdict.kind === 'repeated' && mic === session.lastMic)
    return { kind: 'repeated', device, session };
  if (verdict.kind !== 'next') {
    return {
      kind: 'refused',
      reason: 'REPLAY',
      explanation: `frame counter ${fCnt} after ${session.fCntUp}: replayed, or too far ahead`,
      deviceId: device.id,
    };
  }
  const { joining: _, ...rest } = device;
  const used = { ...session, fCntUp: fCnt, lastMic: mic };
  const key = Buffer.from(frame.fPort === 0 ? session.nwkSKey : session.appSKey, 'hex');
  const place = { direction: 'up', devAddr: session.devAddr, fCnt } as const;
  return {
    kind: 'accepted',
    device: withSession(rest, device, used),
    session: used,
    fCnt,
    payload: cryptPayload(key, place, frame.frmPayload),
  };
}

/** The session that was just used; a newer one that waits keeps waiting while the old one is in use. */
function withSession(
  rest: Omit<WirelessDevice, 'joining'>,
  { joining }: WirelessDevice,
  used: Session,
): WirelessDevice {
  const waits = joining !== undefined && joining.devAddr !== used.devAddr;
  return { ...rest, session: used, ...(waits && { joining }) };
}

function matchOf(frame: UplinkFrame, devices: readonly WirelessDevice[]): Match | undefined {
  for (const device of devices) {
    for (const session of [device.joining, device.session]) {
      if (session?.devAddr !== frame.devAddr) continue;
      const nwkSKey = Buffer.from(session.nwkSKey, 'hex');
      const fCnt = candidateCounters(session.fCntUp, frame.fCnt16).find((candidate) => {
        const place = { direction: 'up', devAddr: session.devAddr, fCnt: candidate } as const;
        return sameMic(dataMic(nwkSKey, place, frame.covered), frame.mic);
      });
      if (fCnt !== undefined) return { device, session, fCnt };
    }
  }
  return undefined;
}
