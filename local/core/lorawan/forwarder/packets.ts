import * as z from 'zod';
import { FrameFault } from '../fault.ts';
import { dataRateOf, type Region, type Window } from '../region.ts';

/** Packet types of the Semtech UDP protocol (GWMP), version 2. @see packet_forwarder, PROTOCOL.TXT */
const PUSH_DATA = 0x00;
const PUSH_ACK = 0x01;
const PULL_DATA = 0x02;
const PULL_RESP = 0x03;
const PULL_ACK = 0x04;
const TX_ACK = 0x05;

const VERSION = 2;
const HEADER_BYTES = 4;
const EUI_BYTES = 8;

/** What a gateway sends. */
export interface ForwarderPacket {
  readonly kind: 'push-data' | 'pull-data' | 'tx-ack';
  readonly token: number;
  /** 16 hexadecimal digits. */
  readonly gatewayEui: string;
  /** Its JSON, unread; empty where there is none. */
  readonly json: string;
}

const KINDS: Readonly<Record<number, ForwarderPacket['kind']>> = {
  [PUSH_DATA]: 'push-data',
  [PULL_DATA]: 'pull-data',
  [TX_ACK]: 'tx-ack',
};

/** @throws {FrameFault} for what no gateway of version 2 sends */
export function parsePacket(bytes: Buffer): ForwarderPacket {
  const least = HEADER_BYTES + EUI_BYTES;
  if (bytes.length < least)
    throw new FrameFault(`a gateway's packet has at least ${least} bytes, not ${bytes.length}`);
  if (bytes[0] !== VERSION)
    throw new FrameFault(`protocol version ${bytes[0]}; only version ${VERSION} is spoken`);
  const kind = KINDS[bytes.readUInt8(3)];
  if (kind === undefined)
    throw new FrameFault(`packet type ${bytes[3]} is none that a gateway sends`);
  return {
    kind,
    token: bytes.readUInt16BE(1),
    gatewayEui: bytes.subarray(HEADER_BYTES, least).toString('hex'),
    json: bytes.subarray(least).toString('utf8'),
  };
}

/** The answer to a packet; TX_ACK has none. */
export function acknowledgement({ kind, token }: ForwarderPacket): Buffer | undefined {
  if (kind === 'tx-ack') return undefined;
  return header(token, kind === 'push-data' ? PUSH_ACK : PULL_ACK);
}

function header(token: number, type: number): Buffer {
  const bytes = Buffer.of(VERSION, 0, 0, type);
  bytes.writeUInt16BE(token, 1);
  return bytes;
}

/** A LoRa frame that a gateway heard with a right checksum. */
export interface HeardFrame {
  readonly phyPayload: Buffer;
  /** The gateway's clock at the end of the frame: microseconds, 32 bits. */
  readonly tmst: number;
  readonly dataRate: number;
  readonly frequencyHz: number;
  readonly rssi: number;
  readonly snr: number;
}

const Frame = z.object({
  tmst: z.int().min(0).max(0xffff_ffff),
  /** MHz. */
  freq: z.number().positive(),
  datr: z.string(),
  rssi: z.number(),
  lsnr: z.number(),
  data: z.base64(),
});

const Push = z.object({ rxpk: z.array(z.looseObject({})).default([]) });
/** A right checksum, and LoRa: what else is heard is noise or FSK. */
const Usable = z.looseObject({ stat: z.literal(1).default(1), modu: z.literal('LORA') });

/**
 * The frames of a PUSH_DATA. Those of other modulation, with a wrong checksum or with a data rate that the
 * region does not have are left out: they are no frames of this network.
 *
 * @throws {FrameFault} where the JSON is none, or a frame lacks what it must have
 */
export function parsePush(json: string, region: Region): HeardFrame[] {
  const { rxpk } = checked('PUSH_DATA', Push, parseJson(json));
  return rxpk
    .filter((frame) => Usable.safeParse(frame).success)
    .map((frame) => checked('rxpk', Frame, frame))
    .flatMap(({ data, datr, freq, tmst, rssi, lsnr }) => {
      const dataRate = parseDataRate(datr, region);
      if (dataRate === undefined) return [];
      const frequencyHz = Math.round(freq * 1e6);
      const phyPayload = Buffer.from(data, 'base64');
      return [{ phyPayload, tmst, dataRate, frequencyHz, rssi, snr: lsnr }];
    });
}

function parseDataRate(text: string, region: Region): number | undefined {
  const [, factor, bandwidth] = /^SF(\d{1,2})BW(\d{2,3})$/.exec(text) ?? [];
  return dataRateOf(region, Number(factor), Number(bandwidth));
}

/** @returns undefined when the frame will be sent, otherwise the gateway's word for why not */
export function parseTxAck(json: string): string | undefined {
  if (json.trim() === '') return undefined;
  const schema = z.object({ txpk_ack: z.object({ error: z.string().default('NONE') }) });
  const { error } = checked('TX_ACK', schema, parseJson(json)).txpk_ack;
  return error === 'NONE' ? undefined : error;
}

/** @param tmst  when to send, by the gateway's clock; it goes round after 2^32 microseconds */
export function pullResponse(
  token: number,
  region: Region,
  { phyPayload, tmst, window }: { phyPayload: Uint8Array; tmst: number; window: Window },
): Buffer {
  const rate = region.dataRates[window.dataRate];
  if (rate === undefined)
    throw new FrameFault(`${region.name} has no data rate ${window.dataRate}`);
  const txpk = {
    imme: false,
    tmst: tmst % 2 ** 32,
    freq: window.frequencyHz / 1e6,
    rfch: 0,
    powe: region.maxPowerDbm,
    modu: 'LORA',
    datr: `SF${rate.spreadingFactor}BW${rate.bandwidthKhz}`,
    codr: '4/5',
    ipol: true,
    size: phyPayload.length,
    ncrc: true,
    data: Buffer.from(phyPayload).toString('base64'),
  };
  return Buffer.concat([header(token, PULL_RESP), Buffer.from(JSON.stringify({ txpk }))]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FrameFault(`not JSON: ${String(error)}`, { cause: error });
  }
}

function checked<T>(what: string, schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new FrameFault(`${what}: ${problems.join('; ')}`);
}
