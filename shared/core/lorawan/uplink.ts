import * as z from 'zod';
import { check, fieldOf, parseRecord } from '../check.ts';
import { reject } from '../errors.ts';
import { Name, TimeMs } from '../names.ts';

/** What the rule for LoRaWAN puts on `uplinks`: the network server's message, unread. Unknown keys are dropped. */
export const LorawanEnvelope = z.object({
  v: z.literal(1),
  source: z.literal('lorawan'),
  /** The message's bytes, base64. */
  data: z.string(),
  receivedAtMs: TimeMs,
  traceId: z.string().min(1).max(128).optional(),
  messageId: z.string().min(1).max(128),
});
export type LorawanEnvelope = z.infer<typeof LorawanEnvelope>;

/**
 * @param text  one record of `uplinks`
 * @returns     nothing for a record that came another way, which is another function's
 * @throws {RejectedError} `MALFORMED_RECORD`, `MALFORMED_ENVELOPE` or `UNSUPPORTED_VERSION`
 */
export function parseLorawanEnvelope(text: string): LorawanEnvelope | undefined {
  const record = parseRecord(text);
  if (fieldOf(record, 'source') !== 'lorawan') return undefined;
  if (fieldOf(record, 'v') !== 1) reject('UNSUPPORTED_VERSION', 'v', 'wants 1');
  return check(LorawanEnvelope, record, 'MALFORMED_ENVELOPE');
}

/** What AWS documents and no reading tells: taken in whatever form it comes, and not looked at. */
function documented<Name extends string>(names: readonly Name[]) {
  const plain = z.union([z.string(), z.number(), z.boolean()]).optional().catch(undefined);
  return Object.fromEntries(names.map((name) => [name, plain])) as Record<Name, typeof plain>;
}

/** A gateway of one's own has an EUI, one of a public network an id. */
const Gateway = z.object({
  gatewayEui: z.string().max(64).optional(),
  id: z.string().max(64).optional(),
  rssi: z.coerce.number().optional(),
  snr: z.coerce.number().optional(),
  ...documented(['providerNetId', 'rfRegion', 'dlAllowed']),
});
export type Gateway = z.infer<typeof Gateway>;

const euiText = z
  .string()
  .transform((text) => text.replace(/[:-]/g, '').toLowerCase())
  .refine((text) => /^[0-9a-f]{1,16}$/.test(text), 'wants up to 16 hexadecimal digits');

/** AWS's own examples write most numbers as texts, and some as numbers. */
const number = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+(\.\d+)?$/, 'wants a number')
      .transform(Number),
  ])
  .optional();
const whole = (least: number, most: number) => number.pipe(z.int().min(least).max(most).optional());

const Radio = z.object({
  devEui: euiText.optional(),
  joinEui: euiText.optional(),
  devAddr: z.string().min(1).max(16).toLowerCase().optional(),
  fPort: whole(0, 255),
  fCnt: whole(0, 0xffff_ffff),
  mic: z.string().max(16).toLowerCase().optional(),
  dataRate: z.union([z.string().max(32), z.number().transform(String)]).optional(),
  frequency: whole(1, 10_000_000_000),
  /** 0 for FSK. */
  spreadingFactor: whole(0, 12),
  /** kHz. */
  bandwidth: whole(1, 2_000).catch(undefined),
  timestamp: z.string().max(64).optional(),
  /** DevStatusAns: 0 is external power, 1 to 254 a level, 255 unknown. */
  battery: whole(0, 255),
  margin: whole(-32, 31),
  ackedMessageId: z.string().max(128).optional(),
  gateways: z.array(Gateway).default([]),
  publicGateways: z.array(Gateway).default([]),
  /** Only where a network server other than AWS forwards a payload that is still encrypted. */
  appSKey: z.string().max(64).optional(),
  ...documented(['adr', 'classB', 'codeRate', 'fOptLen', 'mType', 'major', 'modulation']),
  ...documented(['polarizationInversion']),
});

const Uplink = z.object({
  wirelessDeviceId: Name,
  payloadData: z.string().default(''),
  radio: Radio,
});

/** An uplink of one device, however many gateways heard it. */
export interface Uplink {
  readonly deviceId: string;
  readonly payload: Buffer;
  readonly devEui: string | undefined;
  readonly joinEui: string | undefined;
  readonly devAddr: string | undefined;
  /** Undefined also where the payload is none for a codec: no FPort, or one of the network's own. */
  readonly fPort: number | undefined;
  readonly fCnt: number | undefined;
  readonly mic: string | undefined;
  /** When the network heard it, where it says so in a way that can be read. */
  readonly heardAtMs: number | undefined;
  readonly radio: z.infer<typeof Radio>;
}

/**
 * Reads an uplink as AWS IoT Core for LoRaWAN delivers it to a rule. Its documentation varies in the case of names,
 * in numbers as texts and in padding; all of that is taken.
 *
 * @param bytes  the message, JSON
 * @throws {RejectedError} `MALFORMED_UPLINK` naming each field at fault, or `UNSUPPORTED_NETWORK` for Amazon Sidewalk
 * @see AWS IoT Wireless Developer Guide, "Create rules to process LoRaWAN device messages"
 */
export function parseUplink(bytes: Uint8Array): Uplink {
  const message = lowered(jsonObject(bytes));
  const metadata = lowered(asObject(message['wirelessmetadata'] ?? message['metadata']));
  if (metadata['sidewalk'] !== undefined) {
    reject(
      'UNSUPPORTED_NETWORK',
      'WirelessMetadata.Sidewalk',
      'is Amazon Sidewalk’s, wants LoRaWAN',
    );
  }
  if (metadata['lorawan'] === undefined) {
    reject('MALFORMED_UPLINK', 'WirelessMetadata.LoRaWAN', 'is missing');
  }
  const radio = asObject(metadata['lorawan']);
  const {
    wirelessDeviceId,
    payloadData,
    radio: checked,
  } = check(
    Uplink,
    {
      wirelessDeviceId: message['wirelessdeviceid'] ?? message['deviceid'],
      payloadData: message['payloaddata'] ?? undefined,
      radio: { ...named(radio, RADIO_FIELDS), ...gatewaysOf(radio) },
    },
    'MALFORMED_UPLINK',
  );
  return {
    deviceId: wirelessDeviceId,
    payload: payloadOf(payloadData),
    devEui: checked.devEui,
    joinEui: checked.joinEui,
    devAddr: checked.devAddr,
    fPort: isApplicationPort(checked.fPort) ? checked.fPort : undefined,
    fCnt: checked.fCnt,
    mic: checked.mic,
    heardAtMs: timeOf(checked.timestamp),
    radio: checked,
  };
}

/** FPort 0 carries MAC commands; AWS tells an uplink without FPort as 225, and 224 and up are reserved. */
const isApplicationPort = (fPort: number | undefined): boolean =>
  fPort !== undefined && fPort >= 1 && fPort <= 223;

function jsonObject(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    return reject('MALFORMED_UPLINK', '(root)', 'is not JSON in UTF-8');
  }
  return reject('MALFORMED_UPLINK', '(root)', 'is not a JSON object');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Not base64 of RFC 4648 to the letter: two of AWS's examples have the wrong padding. */
function payloadOf(text: string): Buffer {
  const bare = text.replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/_-]*$/.test(bare) || bare.length % 4 === 1) {
    reject('MALFORMED_UPLINK', 'PayloadData', 'is not base64');
  }
  return Buffer.from(bare, 'base64');
}

function timeOf(text: string | undefined): number | undefined {
  const ms =
    text !== undefined && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  return Number.isInteger(ms) && ms >= 0 ? ms : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const RADIO_FIELDS = [
  ...['devEui', 'joinEui', 'devAddr', 'fPort', 'fCnt', 'mic', 'dataRate', 'frequency'],
  ...[
    'spreadingFactor',
    'timestamp',
    'battery',
    'margin',
    'ackedMessageId',
    'appSKey',
    'bandwidth',
  ],
  ...['adr', 'classB', 'codeRate', 'fOptLen', 'mType', 'major', 'modulation'],
  'polarizationInversion',
];
const GATEWAY_FIELDS = [
  'gatewayEui',
  'id',
  'rssi',
  'snr',
  'providerNetId',
  'rfRegion',
  'dlAllowed',
];

/** Values under our names, whatever the case of theirs; null is as good as nothing. */
function named(object: object, names: readonly string[]): Fields {
  const fields = lowered(object);
  return Object.fromEntries(
    names.map((name) => [name, fields[name.toLowerCase()] ?? undefined] as const),
  );
}

function gatewaysOf(radio: object): Fields {
  const fields = lowered(radio);
  const list = (value: unknown): unknown =>
    Array.isArray(value) ? value.map((one) => named(asObject(one), GATEWAY_FIELDS)) : value;
  return {
    gateways: list(fields['gateways'] ?? undefined),
    publicGateways: list(fields['publicgateways'] ?? undefined),
  };
}

const lowered = (object: object): Fields =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name.toLowerCase(), value]));

const asObject = (value: unknown): object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
