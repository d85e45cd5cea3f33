import { FrameFault } from './fault.ts';
import { reversedHex } from './octets.ts';

/** Message types by their number in the MHDR. @see LoRaWAN 1.0.3, 4.2.1 */
export const M_TYPES = [
  'JoinRequest',
  'JoinAccept',
  'UnconfirmedDataUp',
  'UnconfirmedDataDown',
  'ConfirmedDataUp',
  'ConfirmedDataDown',
  'RejoinRequest',
  'Proprietary',
] as const;
export type MType = (typeof M_TYPES)[number];
export type DataUp = 'UnconfirmedDataUp' | 'ConfirmedDataUp';
export type DataDown = 'UnconfirmedDataDown' | 'ConfirmedDataDown';

/** The flags of FCtrl that travel up. @see LoRaWAN 1.0.3, 4.3.1 */
export interface UplinkControl {
  readonly adr: boolean;
  readonly adrAckReq: boolean;
  readonly ack: boolean;
  readonly classB: boolean;
}

/** A data frame from a device, its payload still encrypted. */
export interface UplinkFrame {
  readonly type: DataUp;
  /** 8 hexadecimal digits. */
  readonly devAddr: string;
  readonly control: UplinkControl;
  /** The 16 bits that are sent of the counter. */
  readonly fCnt16: number;
  readonly fOpts: Buffer;
  /** Undefined where the frame has none, and then no payload either. */
  readonly fPort: number | undefined;
  readonly frmPayload: Buffer;
  /** What the MIC is made over: all before it. */
  readonly covered: Buffer;
  readonly mic: Buffer;
}

export interface JoinRequestFrame {
  readonly type: 'JoinRequest';
  /** 16 hexadecimal digits, as the next. */
  readonly joinEui: string;
  readonly devEui: string;
  readonly devNonce: number;
  readonly covered: Buffer;
  readonly mic: Buffer;
}

export const MIC_BYTES = 4;
const HEADER_BYTES = 8;
const JOIN_REQUEST_BYTES = 23;
const MAJOR_R1 = 0;

export const mTypeOf = (mhdr: number): MType => M_TYPES[mhdr >> 5] ?? 'Proprietary';

export const mhdrOf = (type: MType): number => M_TYPES.indexOf(type) << 5;

/**
 * Takes apart what a device has sent.
 *
 * @param phyPayload  from MHDR to MIC
 * @throws {FrameFault} for what is malformed and for message types that devices do not send to this network
 */
export function parseUplink(phyPayload: Uint8Array): UplinkFrame | JoinRequestFrame {
  const bytes = Buffer.from(phyPayload);
  if (bytes.length === 0) throw new FrameFault('PHYPayload is empty; it starts with an MHDR');
  const mhdr = bytes.readUInt8(0);
  if ((mhdr & 0b11) !== MAJOR_R1)
    throw new FrameFault(`MHDR names major version ${mhdr & 0b11}; LoRaWAN R1 is 0`);
  const type = mTypeOf(mhdr);
  if (type === 'JoinRequest') return parseJoinRequest(bytes);
  if (type === 'UnconfirmedDataUp' || type === 'ConfirmedDataUp') return parseData(bytes, type);
  throw new FrameFault(`a ${type} is nothing that this network takes from a device`);
}

function parseJoinRequest(bytes: Buffer): JoinRequestFrame {
  if (bytes.length !== JOIN_REQUEST_BYTES)
    throw new FrameFault(`a join-request has ${JOIN_REQUEST_BYTES} bytes, not ${bytes.length}`);
  return {
    type: 'JoinRequest',
    joinEui: reversedHex(bytes.subarray(1, 9)),
    devEui: reversedHex(bytes.subarray(9, 17)),
    devNonce: bytes.readUInt16LE(17),
    ...micOf(bytes),
  };
}

function parseData(bytes: Buffer, type: DataUp): UplinkFrame {
  const least = HEADER_BYTES + MIC_BYTES;
  if (bytes.length < least)
    throw new FrameFault(`a data frame has at least ${least} bytes, not ${bytes.length}`);
  const fCtrl = bytes.readUInt8(5);
  const end = bytes.length - MIC_BYTES;
  const afterOptions = HEADER_BYTES + (fCtrl & 0x0f);
  if (afterOptions > end)
    throw new FrameFault(
      `FOptsLen says ${fCtrl & 0x0f} bytes where ${end - HEADER_BYTES} are left before the MIC`,
    );
  const fPort = afterOptions < end ? bytes.readUInt8(afterOptions) : undefined;
  if (fPort === 0 && afterOptions > HEADER_BYTES)
    throw new FrameFault('FOpts and FPort 0 in one frame; MAC commands go into one of them');
  return {
    type,
    devAddr: reversedHex(bytes.subarray(1, 5)),
    control: {
      adr: (fCtrl & 0x80) !== 0,
      adrAckReq: (fCtrl & 0x40) !== 0,
      ack: (fCtrl & 0x20) !== 0,
      classB: (fCtrl & 0x10) !== 0,
    },
    fCnt16: bytes.readUInt16LE(6),
    fOpts: bytes.subarray(HEADER_BYTES, afterOptions),
    fPort,
    frmPayload: bytes.subarray(fPort === undefined ? end : afterOptions + 1, end),
    ...micOf(bytes),
  };
}

const micOf = (bytes: Buffer) => ({
  covered: bytes.subarray(0, -MIC_BYTES),
  mic: bytes.subarray(-MIC_BYTES),
});
