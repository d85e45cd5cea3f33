import type { Purpose } from '../../shared/adapters/lorawan/payload-keys.ts';
import { reject } from '../../shared/core/errors.ts';
import type { Assignment } from '../../shared/core/lorawan/assignment.ts';
import { cryptFrmPayload } from '../../shared/core/lorawan/frm-payload.ts';
import { openEnvelope } from '../../shared/core/lorawan/payload-envelope.ts';
import type { Uplink } from '../../shared/core/lorawan/uplink.ts';

export interface OpenedPayload {
  readonly payload: Uint8Array;
  /** Of the envelope inside, where there is one. */
  readonly counter: number | undefined;
}

/** Which key an uplink's payload takes, if any. */
export function purposeOf(uplink: Uplink, { encryption }: Assignment): Purpose | undefined {
  if (encryption === 'none' || !hasContent(uplink)) return undefined;
  return encryption === 'frm' && uplink.radio.appSKey !== undefined ? undefined : encryption;
}

/**
 * The payload that a codec gets.
 *
 * @param key  the device's, as far as there is one
 * @throws {RejectedError} `ENCRYPTION_REFUSED` without a key, `DECRYPTION_FAILED` with a wrong one
 */
export function openPayload(
  uplink: Uplink,
  { encryption }: Assignment,
  key: Uint8Array | undefined,
): OpenedPayload {
  const { payload, devEui, fPort } = uplink;
  if (encryption === 'none' || !hasContent(uplink)) return { payload, counter: undefined };
  if (encryption === 'frm') return { payload: openFrame(uplink, key), counter: undefined };
  if (key === undefined || devEui === undefined || fPort === undefined) {
    return reject(
      'ENCRYPTION_REFUSED',
      'PayloadData',
      'there is no payload key that is this device’s',
    );
  }
  return openEnvelope(key, { devEui, fPort, direction: 'up' }, payload);
}

const hasContent = ({ payload, fPort }: Uplink): boolean =>
  payload.length > 0 && fPort !== undefined;

function openFrame({ payload, devAddr, fCnt, radio }: Uplink, key: Uint8Array | undefined): Buffer {
  const appSKey = radio.appSKey === undefined ? key : handedOver(radio.appSKey);
  if (appSKey === undefined) {
    return reject(
      'ENCRYPTION_REFUSED',
      'PayloadData',
      'there is no AppSKey: the network server has to hand it over, or the device has to be ABP and its key be put; ' +
        'AWS IoT Core for LoRaWAN decrypts the frames of OTAA devices itself and gives their AppSKey to nobody',
    );
  }
  if (devAddr === undefined || fCnt === undefined) {
    return reject(
      'MALFORMED_UPLINK',
      'WirelessMetadata.LoRaWAN',
      'wants DevAddr and FCnt to decrypt with',
    );
  }
  return cryptFrmPayload(appSKey, { devAddr, fCnt, direction: 'up' }, payload);
}

function handedOver(text: string): Uint8Array {
  if (/^[0-9a-fA-F]{32}$/.test(text)) return Buffer.from(text, 'hex');
  return reject(
    'MALFORMED_UPLINK',
    'WirelessMetadata.LoRaWAN.AppSKey',
    'wants 32 hexadecimal digits',
  );
}
