import { buildData } from '../../core/lorawan/data-frame.ts';
import type { UplinkFrame } from '../../core/lorawan/frame.ts';
import {
  deviceTimeAnswer,
  linkCheckAnswer,
  type MacCommand,
} from '../../core/lorawan/mac-commands.ts';
import { demodulationFloorDb, type Region } from '../../core/lorawan/region.ts';
import type { Heard, QueuedMessage, Session, WirelessDevice } from './model.ts';

/** A confirmed message that nobody acknowledges goes on the air so often. */
export const MAX_ATTEMPTS = 4;
const LAST_COUNTER = 0xffff_ffff;

export interface ComposedDownlink {
  /** As it is to be stored before the frame leaves: a counter is never used twice. */
  readonly device: WirelessDevice;
  readonly phyPayload: Buffer;
  /** The message it carries. */
  readonly message: QueuedMessage | undefined;
}

/** What asks for an answer, or would ride on one. */
export interface Occasion {
  readonly frame: UplinkFrame;
  readonly session: Session;
  readonly commands: readonly MacCommand[];
  readonly heard: Heard;
  readonly region: Region;
}

/** Answers to a device's MAC commands, in the order it asked. */
function macAnswers({ commands, heard, region }: Occasion): Buffer {
  const [best] = heard;
  const rate = region.dataRates[best.dataRate];
  const floor = demodulationFloorDb(rate?.spreadingFactor ?? 7);
  return Buffer.concat(
    commands.flatMap(({ kind }) => {
      if (kind === 'LinkCheckReq') return [linkCheckAnswer(best.snr - floor, heard.length)];
      if (kind === 'DeviceTimeReq') return [deviceTimeAnswer(best.receivedAtMs)];
      return [];
    }),
  );
}

/**
 * The answer to an uplink: the first message that waits, an acknowledgement, answers to MAC commands, or nothing
 * where none of these is due.
 */
export function composeDownlink(
  device: WirelessDevice,
  occasion: Occasion,
): ComposedDownlink | undefined {
  const { frame, session, region, heard } = occasion;
  const answers = macAnswers(occasion);
  const fOpts = answers.length <= 15 ? answers : answers.subarray(0, 0);
  const [message, ...later] = sendable(device, region, heard, fOpts.length);
  const wanted = frame.type === 'ConfirmedDataUp' || (frame.control.adr && frame.control.adrAckReq);
  if (message === undefined && !wanted && fOpts.length === 0) return undefined;
  if (session.fCntDown >= LAST_COUNTER) return undefined;
  const phyPayload = buildData(
    {
      type: message?.confirmed === true ? 'ConfirmedDataDown' : 'UnconfirmedDataDown',
      devAddr: session.devAddr,
      fCnt: session.fCntDown,
      ack: frame.type === 'ConfirmedDataUp',
      fPending: later.length > 0,
      fOpts,
      ...(message !== undefined && {
        fPort: message.fPort,
        payload: Buffer.from(message.payload, 'base64'),
      }),
    },
    { nwkSKey: Buffer.from(session.nwkSKey, 'hex'), appSKey: Buffer.from(session.appSKey, 'hex') },
  );
  const next = { ...session, fCntDown: session.fCntDown + 1 };
  return {
    device: { ...device, session: next, queue: afterSending(device, message) },
    phyPayload,
    message,
  };
}

/** The queue as far as its first message fits what the device can receive now. */
function sendable(
  { queue }: WirelessDevice,
  region: Region,
  [best]: Heard,
  optionBytes: number,
): readonly QueuedMessage[] {
  const room = (region.maxPayload[region.rx1(best).dataRate] ?? 0) - optionBytes;
  const [first] = queue;
  if (first === undefined) return [];
  return Buffer.from(first.payload, 'base64').length <= room ? queue : [];
}

/** An unconfirmed message is gone once sent; a confirmed one stays until it is acknowledged. */
function afterSending(
  { queue }: WirelessDevice,
  message: QueuedMessage | undefined,
): QueuedMessage[] {
  if (message === undefined) return queue;
  const [, ...rest] = queue;
  const sent = message.sent + 1;
  return message.confirmed && sent < MAX_ATTEMPTS ? [{ ...message, sent }, ...rest] : rest;
}

/** Takes the device's acknowledgement. @returns also the id of the message that it was for */
export function acknowledge(device: WirelessDevice, acked: boolean) {
  const [first, ...rest] = device.queue;
  if (!acked || first === undefined || !first.confirmed || first.sent === 0)
    return { device, ackedMessageId: undefined };
  return { device: { ...device, queue: rest }, ackedMessageId: first.messageId };
}
