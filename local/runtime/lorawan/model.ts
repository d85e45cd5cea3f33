import * as z from 'zod';
import { REGION_NAMES, type RegionName, type Window } from '../../core/lorawan/region.ts';
import type { UplinkEvent } from './uplink-event.ts';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const Counter = z.int().min(0).max(0xffff_ffff);

/** What two sides share after a join, or from the factory on. */
export const Session = z.object({
  devAddr: hex(4),
  nwkSKey: hex(16),
  appSKey: hex(16),
  /** Of the last uplink that was accepted. */
  fCntUp: Counter.optional(),
  /** MIC of that uplink: another frame with its counter is no repetition. */
  lastMic: hex(4).optional(),
  /** Of the next downlink; never used twice. */
  fCntDown: Counter,
});
export type Session = z.infer<typeof Session>;

export const QueuedMessage = z.object({
  messageId: z.string(),
  fPort: z.int().min(1).max(223),
  payload: z.base64(),
  /** Whether the device is to acknowledge it. */
  confirmed: z.boolean(),
  receivedAtMs: z.int(),
  /** How often it went on the air. */
  sent: z.int().min(0),
});
export type QueuedMessage = z.infer<typeof QueuedMessage>;

/** A `WirelessDevice` with everything the network remembers of it. Holds keys: never log one. */
export const WirelessDevice = z.object({
  id: z.string(),
  devEui: hex(8),
  name: z.string().optional(),
  description: z.string().optional(),
  destinationName: z.string(),
  deviceProfileId: z.string().optional(),
  serviceProfileId: z.string().optional(),
  activation: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('otaa'), joinEui: hex(8), appKey: hex(16) }),
    z.object({ kind: z.literal('abp') }),
  ]),
  createdAtMs: z.int(),
  usedDevNonces: z.array(z.int().min(0).max(0xffff)),
  /** Of the last join-accept; 0 before the first. */
  joinNonce: z.int().min(0).max(0xff_ffff),
  session: Session.optional(),
  /** Accepted, but the device has not yet shown that it knows: until then the old session stays. */
  joining: Session.optional(),
  queue: z.array(QueuedMessage),
  /** What the device last said of itself. */
  status: z.object({ battery: z.int(), margin: z.int() }).optional(),
  lastUplink: z.object({ atMs: z.int(), loRaWAN: z.record(z.string(), z.unknown()) }).optional(),
});
export type WirelessDevice = z.infer<typeof WirelessDevice>;

/** An uplink on its way to the rule of its device's destination. */
export const OutgoingUplink = z.object({
  id: z.string(),
  destinationName: z.string(),
  event: z.custom<UplinkEvent>((value) => typeof value === 'object' && value !== null),
});
export type OutgoingUplink = z.infer<typeof OutgoingUplink>;

export const WirelessGateway = z.object({
  id: z.string(),
  eui: hex(8),
  name: z.string().optional(),
  description: z.string().optional(),
  region: z.enum(REGION_NAMES),
  subBand: z.int().min(1).max(8).optional(),
  /** Of the certificate that it must show. */
  certificateId: z.string().optional(),
  createdAtMs: z.int(),
  lastUplinkAtMs: z.int().optional(),
});
export type WirelessGateway = z.infer<typeof WirelessGateway>;

/** A frame for a class A device, with the windows in which it listens. */
export interface Downlink {
  readonly devEui: string;
  readonly phyPayload: Buffer;
  /** From the end of the uplink to RX1; RX2 is a second later. */
  readonly rxDelaySeconds: number;
  readonly rx1: Window;
  readonly rx2: Window;
}

/** @returns undefined when the frame is on the air, otherwise why it is not */
export type Transmit = (downlink: Downlink) => Promise<string | undefined>;

/** A frame, and how a gateway heard it. */
export interface Hearing {
  readonly phyPayload: Buffer;
  readonly dataRate: number;
  readonly frequencyHz: number;
  readonly rssi: number;
  readonly snr: number;
}

/** One gateway's hearing of a frame. */
export interface Reception extends Hearing {
  readonly gatewayEui: string;
  readonly region: RegionName;
  readonly receivedAtMs: number;
  /** Answers through the gateway that heard it. */
  readonly transmit: Transmit;
}

/** @param hearing  what the gateway's protocol says of it, and possibly more that is its own */
export const receptionOf = (
  { eui, region }: WirelessGateway,
  { phyPayload, dataRate, frequencyHz, rssi, snr }: Hearing,
  receivedAtMs: number,
  transmit: Transmit,
): Reception => ({
  gatewayEui: eui,
  region,
  phyPayload,
  dataRate,
  frequencyHz,
  rssi,
  snr,
  receivedAtMs,
  transmit,
});

/** All receptions of one frame, the best first. */
export type Heard = readonly [Reception, ...Reception[]];
