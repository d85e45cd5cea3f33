import { FrameFault } from './fault.ts';
import { type DataDown, type DataUp, mhdrOf } from './frame.ts';
import { octetsOf } from './octets.ts';
import { cryptPayload, type Direction, dataMic } from './session-crypto.ts';

export interface SessionKeys {
  readonly nwkSKey: Uint8Array;
  readonly appSKey: Uint8Array;
}

/** What goes into a data frame; the flags of FCtrl that a direction does not have stay unset. */
export interface DataContent {
  readonly type: DataUp | DataDown;
  readonly devAddr: string;
  readonly fCnt: number;
  readonly adr?: boolean;
  readonly adrAckReq?: boolean;
  readonly ack?: boolean;
  readonly fPending?: boolean;
  readonly fOpts?: Uint8Array;
  /** With `payload`, in clear. */
  readonly fPort?: number;
  readonly payload?: Uint8Array;
}

const MAX_FOPTS = 15;
const NO_BYTES = new Uint8Array();

/**
 * A data frame as it goes on the air, encrypted and with its MIC.
 *
 * @throws {FrameFault} where the content fits no frame
 */
export function buildData(content: DataContent, keys: SessionKeys): Buffer {
  const { type, devAddr, fCnt, fOpts = NO_BYTES, fPort, payload = NO_BYTES } = content;
  if (fOpts.length > MAX_FOPTS)
    throw new FrameFault(`FOpts takes ${MAX_FOPTS} bytes, not ${fOpts.length}`);
  if (fPort === undefined && payload.length > 0)
    throw new FrameFault('a payload needs an FPort to go to');
  const direction: Direction = type.endsWith('Up') ? 'up' : 'down';
  const place = { direction, devAddr, fCnt };
  const header = Buffer.alloc(8);
  header.writeUInt8(mhdrOf(type), 0);
  octetsOf(devAddr).copy(header, 1);
  header.writeUInt8(controlOf(content, fOpts.length), 5);
  header.writeUInt16LE(fCnt & 0xffff, 6);
  const key = fPort === 0 ? keys.nwkSKey : keys.appSKey;
  const covered = Buffer.concat([
    header,
    fOpts,
    ...(fPort === undefined ? [] : [Uint8Array.of(fPort), cryptPayload(key, place, payload)]),
  ]);
  return Buffer.concat([covered, dataMic(keys.nwkSKey, place, covered)]);
}

const controlOf = ({ adr, adrAckReq, ack, fPending }: DataContent, fOptsLength: number): number =>
  (adr === true ? 0x80 : 0) |
  (adrAckReq === true ? 0x40 : 0) |
  (ack === true ? 0x20 : 0) |
  (fPending === true ? 0x10 : 0) |
  fOptsLength;
