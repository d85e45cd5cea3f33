import * as z from 'zod';
import { parseEui } from '../eui.ts';
import { FrameFault } from '../fault.ts';
import { octetsOf } from '../octets.ts';
import { parseStationJson } from './json.ts';

/** What a station heard, and the clock by which it can be told to answer. */
export interface StationFrame {
  readonly kind: 'frame';
  readonly phyPayload: Buffer;
  readonly dataRate: number;
  readonly frequencyHz: number;
  readonly rssi: number;
  readonly snr: number;
  readonly xtime: bigint;
  readonly rctx: bigint;
}

/** A message of a station, as far as a network server deals with it. */
export type StationMessage =
  | StationFrame
  | { readonly kind: 'version'; readonly station: string; readonly protocol: number }
  | { readonly kind: 'sent'; readonly diid: number }
  | { readonly kind: 'timesync'; readonly txtime: number | bigint }
  | { readonly kind: 'ignored'; readonly msgtype: string };

const octet = z.int().min(0).max(255);
const Integer = z.union([z.int(), z.bigint()]).transform((value) => BigInt(value));
const Eui = z.union([z.string(), z.number(), z.bigint()]).transform((text) => parseEui(text));
const Hex = z
  .string()
  .regex(/^(?:[0-9A-Fa-f]{2})*$/, 'not whole octets in hexadecimal digits')
  .transform((text) => Buffer.from(text, 'hex'));
/** Stations write unsigned 32 bits as signed ones. */
const Word = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 32 - 1);

const Radio = z.object({
  DR: z.int().min(0).max(15),
  Freq: z.int().positive(),
  upinfo: z.object({ rctx: Integer, xtime: Integer, rssi: z.number(), snr: z.number() }),
});

const JoinRequest = Radio.extend({
  MHdr: octet,
  JoinEui: Eui,
  DevEui: Eui,
  DevNonce: z.int().min(0).max(0xffff),
  MIC: Word,
});

const DataFrame = Radio.extend({
  MHdr: octet,
  DevAddr: Word,
  FCtrl: octet,
  FCnt: z.int().min(0).max(0xffff),
  FOpts: Hex,
  /** -1 where the frame has none. */
  FPort: z.int().min(-1).max(255),
  FRMPayload: Hex,
  MIC: Word,
});

const Version = z.object({ station: z.string().default(''), protocol: z.int() });
const Sent = z.object({ diid: z.int() });
const TimeSync = z.object({ txtime: z.union([z.number(), z.bigint()]) });
const Typed = z.object({ msgtype: z.string() });

/**
 * Reads a message of the LNS protocol.
 *
 * @param text  a WebSocket message
 * @throws {FrameFault} naming each member at fault
 * @see LoRa Basics Station 2.0.6, The LNS Protocol
 */
export function parseStationMessage(text: string): StationMessage {
  const json = parseStationJson(text);
  const { msgtype } = checked('message', Typed, json);
  switch (msgtype) {
    case 'jreq':
      return joinRequest(checked(msgtype, JoinRequest, json));
    case 'updf':
      return dataFrame(checked(msgtype, DataFrame, json));
    case 'version':
      return { kind: 'version', ...checked(msgtype, Version, json) };
    case 'dntxed':
      return { kind: 'sent', diid: checked(msgtype, Sent, json).diid };
    case 'timesync':
      return { kind: 'timesync', txtime: checked(msgtype, TimeSync, json).txtime };
    default:
      return { kind: 'ignored', msgtype };
  }
}

/** Who a station says it is, when it asks where to connect. @throws {FrameFault} */
export const parseRouterInfo = (text: string): string =>
  checked('router-info', z.object({ router: Eui }), parseStationJson(text)).router;

function checked<T>(what: string, schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new FrameFault(`${what}: ${problems.join('; ')}`);
}

function joinRequest(message: z.infer<typeof JoinRequest>): StationFrame {
  const nonce = Buffer.alloc(2);
  nonce.writeUInt16LE(message.DevNonce);
  const phyPayload = Buffer.concat([
    Uint8Array.of(message.MHdr),
    octetsOf(message.JoinEui),
    octetsOf(message.DevEui),
    nonce,
    word(message.MIC),
  ]);
  return { kind: 'frame', phyPayload, ...radioOf(message) };
}

/** The frame comes taken apart; its MIC is made over the whole. */
function dataFrame(message: z.infer<typeof DataFrame>): StationFrame {
  const { MHdr, DevAddr, FCtrl, FCnt, FOpts, FPort, FRMPayload, MIC } = message;
  if (FPort < 0 && FRMPayload.length > 0) throw new FrameFault('updf: FRMPayload without an FPort');
  const counter = Buffer.alloc(2);
  counter.writeUInt16LE(FCnt);
  const phyPayload = Buffer.concat([
    Uint8Array.of(MHdr),
    word(DevAddr),
    Uint8Array.of(FCtrl),
    counter,
    FOpts,
    ...(FPort < 0 ? [] : [Uint8Array.of(FPort), FRMPayload]),
    word(MIC),
  ]);
  return { kind: 'frame', phyPayload, ...radioOf(message) };
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

const radioOf = ({ DR, Freq, upinfo }: z.infer<typeof Radio>) => ({
  dataRate: DR,
  frequencyHz: Freq,
  ...upinfo,
});
