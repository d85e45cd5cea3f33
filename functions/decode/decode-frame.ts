import type { CodecRuntime } from '../../shared/codec-runtime/codec-runtime.ts';
import { reject } from '../../shared/core/errors.ts';
import {
  decodeFormat,
  type FormatResult,
  isFormat,
} from '../../shared/core/lorawan/formats/index.ts';
import { ENVELOPE, observe, type Sessions } from '../../shared/core/lorawan/sessions.ts';
import type { LorawanEnvelope, Uplink } from '../../shared/core/lorawan/uplink.ts';
import type { Reading } from '../../shared/core/reading.ts';
import type { Breaker } from './breaker.ts';
import { openPayload } from './open-payload.ts';
import { type Decoded, readingsFrom } from './readings.ts';
import { deviceOf, type Plan, type Prepared } from './registry.ts';
import { runCodec } from './run-codec.ts';
import type { Shelf } from './shelf.ts';

export interface Tools {
  readonly runtime: CodecRuntime;
  readonly shelf: Shelf;
  readonly breaker: Breaker;
  readonly now: () => number;
}

export interface Message {
  readonly envelope: LorawanEnvelope;
  readonly uplink: Uplink;
}

/**
 * One frame of a device, decoded.
 *
 * @param key       the device's payload key, if it has one
 * @param taken     the device's sessions with this frame
 * @returns         its readings, none where the envelope inside was read before; and the sessions then
 * @throws {RejectedError} naming what is wrong with frame, codec or key
 */
export function decodeFrame(
  { envelope, uplink }: Message,
  prepared: Prepared,
  key: Uint8Array | undefined,
  { taken, lost }: { readonly taken: Sessions; readonly lost: number | undefined },
  tools: Tools,
): { readonly readings: readonly Reading[]; readonly taken: Sessions } {
  const plan = prepared.plan(uplink) ?? unassigned(uplink);
  const { payload, counter } = openPayload(uplink, plan.assignment, key);
  const inner = counter === undefined ? undefined : observeEnvelope(taken, counter);
  if (inner?.verdict === 'seen') return { readings: [], taken };
  const { codec, result } = resultFor(envelope, uplink, payload, prepared, plan, tools);
  const decoded: Decoded = {
    thing: plan.thing,
    fleet: plan.assignment.fleet,
    payload,
    counter,
    codec,
    lostUplinks: lost,
    ...result,
  };
  return { readings: readingsFrom(envelope, uplink, decoded), taken: inner?.taken ?? taken };
}

const unassigned = (uplink: Uplink): never =>
  reject('DEVICE_UNASSIGNED', deviceOf(uplink), 'no fleet and codec are assigned to this device');

function observeEnvelope(sessions: Sessions, counter: number) {
  const frame = { devAddr: ENVELOPE, fCnt: counter, mic: undefined, isWide: true };
  const observation = observe(sessions, frame);
  if (observation.verdict === 'forgotten') {
    reject(
      'REPLAYED_FRAME',
      'PayloadData',
      'the envelope’s counter is older than the window remembers',
    );
  }
  return observation;
}

const NOTHING: FormatResult = {
  measurements: [{ metrics: {}, units: undefined, deviceMs: undefined }],
  warnings: [],
};

function resultFor(
  { receivedAtMs }: LorawanEnvelope,
  uplink: Uplink,
  payload: Uint8Array,
  prepared: Prepared,
  plan: Plan,
  tools: Tools,
): { readonly codec: string | undefined; readonly result: FormatResult } {
  const choice = prepared.choice(uplink, plan);
  if (choice.kind === 'none' || uplink.fPort === undefined) {
    return { codec: undefined, result: NOTHING };
  }
  const { id } = choice;
  if (isFormat(id)) return { codec: id, result: decodeFormat(id, payload) };
  const decoder = tools.shelf.get(id);
  if (decoder === undefined) {
    return reject('CODEC_UNAVAILABLE', id, 'is assigned to this device, but is not there');
  }
  const message = {
    payload,
    fPort: uplink.fPort,
    atMs: uplink.heardAtMs ?? receivedAtMs,
    device: deviceOf(uplink),
  };
  return { codec: id, result: runCodec(id, decoder, message, tools) };
}
