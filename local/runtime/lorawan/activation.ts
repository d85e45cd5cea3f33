import type { JoinRequestFrame } from '../../core/lorawan/frame.ts';
import { buildJoinAccept, joinMic, sessionKeys } from '../../core/lorawan/join.ts';
import type { Region } from '../../core/lorawan/region.ts';
import { sameMic } from '../../core/lorawan/session-crypto.ts';
import type { WirelessDevice } from './model.ts';

/** Networks without an id of their own have this one. @see LoRaWAN Backend Interfaces 1.0, NetID 0 */
const NET_ID = '000000';
export const JOIN_ACCEPT_DELAY_SECONDS = 5;
export const RX_DELAY_SECONDS = 1;
const MAX_JOIN_NONCE = 0xff_ffff;

export type JoinVerdict =
  | { readonly ok: true; readonly device: WirelessDevice; readonly accept: Buffer }
  | { readonly ok: false; readonly reason: JoinProblem; readonly explanation: string };

type JoinProblem = 'UNKNOWN_DEV_EUI' | 'NOT_OTAA' | 'JOIN_EUI' | 'MIC' | 'DEV_NONCE' | 'JOIN_NONCE';

/**
 * Decides over a join-request. The session that a device had stays beside the new one until the device uses the
 * new one, as the join-accept may be lost.
 *
 * @param devAddr  an address that nobody has
 * @returns the device as it is to be stored before the join-accept leaves, and that join-accept
 */
export function acceptJoin(
  device: WirelessDevice | undefined,
  request: JoinRequestFrame,
  { region, subBand, devAddr }: { region: Region; subBand: number; devAddr: string },
): JoinVerdict {
  if (device === undefined)
    return refused('UNKNOWN_DEV_EUI', `no device has the DevEUI ${request.devEui}`);
  const { activation } = device;
  if (activation.kind !== 'otaa')
    return refused('NOT_OTAA', 'the device was registered with session keys (ABP), it cannot join');
  const appKey = Buffer.from(activation.appKey, 'hex');
  if (!sameMic(joinMic(appKey, request.covered), request.mic))
    return refused('MIC', 'the MIC is not of the AppKey that the device was registered with');
  if (request.joinEui !== activation.joinEui)
    return refused(
      'JOIN_EUI',
      `the device asks for JoinEUI ${request.joinEui}, registered is ${activation.joinEui}`,
    );
  if (device.usedDevNonces.includes(request.devNonce))
    return refused('DEV_NONCE', `DevNonce ${request.devNonce} was used before: a replayed join`);
  if (device.joinNonce >= MAX_JOIN_NONCE)
    return refused('JOIN_NONCE', 'all join nonces of the device are used: register it anew');
  const joinNonce = device.joinNonce + 1;
  const keys = sessionKeys(appKey, { joinNonce, netId: NET_ID }, request.devNonce);
  const joining = {
    devAddr,
    nwkSKey: Buffer.from(keys.nwkSKey).toString('hex'),
    appSKey: Buffer.from(keys.appSKey).toString('hex'),
    fCntDown: 0,
  };
  const accept = buildJoinAccept(appKey, {
    joinNonce,
    netId: NET_ID,
    devAddr,
    rx1DataRateOffset: 0,
    rx2DataRate: region.rx2.dataRate,
    rxDelaySeconds: RX_DELAY_SECONDS,
    cfList: region.cfList(subBand),
  });
  const usedDevNonces = [...device.usedDevNonces, request.devNonce];
  return { ok: true, device: { ...device, joinNonce, usedDevNonces, joining }, accept };
}

const refused = (reason: JoinProblem, explanation: string): JoinVerdict => ({
  ok: false,
  reason,
  explanation,
});
