import * as z from 'zod';
import { check, fieldOf, parseRecord } from '../check.ts';
import { reject } from '../errors.ts';
import { Name, TimeMs } from '../names.ts';

const Count = z.int().nonnegative();

/**
 * What `ingest` or `decode` saw of a thing in one batch. Only records that the stream will not hand out again are
 * counted, and `from` to `to` says which: so a batch that comes twice is counted once. Where a batch that comes again
 * is cut in another way, `marks` tells its records apart.
 */
export const Counters = z.object({
  v: z.literal(1),
  source: z.literal('counters'),
  function: z.enum(['ingest', 'decode']),
  thing: Name,
  fleet: Name,
  /** Sequence numbers of the first and the last record on `uplinks`. */
  from: z.string().regex(/^\d{1,128}$/),
  to: z.string().regex(/^\d{1,128}$/),
  /** Receive time of the last of them. */
  atMs: TimeMs,
  messages: Count,
  bytes: Count,
  malformed: Count,
  largestBytes: Count,
  /**
   * Of several records, each: what its sequence number ends in behind what all have in common, bytes, whether it was
   * malformed. `12:180:0,13:44:1`
   */
  marks: z.string().max(100_000).optional(),
  /** LoRaWAN: what the counters of frames tell. */
  radio: z
    .object({ joins: Count, gaps: Count, resets: Count, repeats: Count, micFailures: Count })
    .partial()
    .optional(),
});
export type Counters = z.infer<typeof Counters>;

const ClientId = z.string().min(1).max(128);

/** @see AWS IoT Core Developer Guide, "Lifecycle events" */
const Presence = z.object({
  v: z.literal(1),
  source: z.literal('presence'),
  eventType: z.enum(['connected', 'disconnected', 'connect_failed']),
  clientId: ClientId,
  /** With things that a certificate is exclusive to. */
  thingName: ClientId.optional(),
  timestamp: TimeMs,
  sessionIdentifier: z.string().max(128).optional(),
  principalIdentifier: z.string().max(2048).optional(),
  ipAddress: z.string().max(64).optional(),
  versionNumber: z.int().nonnegative().optional(),
  disconnectReason: z.string().max(64).optional(),
  connectFailureReason: z.string().max(64).optional(),
});
export type Presence = z.infer<typeof Presence>;

/** The report of a device on itself: raw, as it is the device's to be malformed. */
const Report = z.object({
  v: z.literal(1),
  source: z.literal('report'),
  topic: z.string().min(1).max(256),
  data: z.string(),
  receivedAtMs: TimeMs,
});
type Report = z.infer<typeof Report>;

/** A join that the LoRaWAN network accepted. */
const Join = z.object({ v: z.literal(1), source: z.literal('join'), thing: Name, atMs: TimeMs });
type Join = z.infer<typeof Join>;

/** A gateway came or went. */
const Gateway = z.object({
  v: z.literal(1),
  source: z.literal('gateway'),
  gateway: ClientId,
  status: z.enum(['connected', 'disconnected']),
  atMs: TimeMs,
});
type Gateway = z.infer<typeof Gateway>;

export type Signal = Counters | Presence | Report | Join | Gateway;

const SCHEMAS = {
  counters: Counters,
  presence: Presence,
  report: Report,
  join: Join,
  gateway: Gateway,
} as const satisfies Readonly<Record<string, z.ZodType<Signal>>>;

const isSource = (source: unknown): source is keyof typeof SCHEMAS =>
  typeof source === 'string' && Object.hasOwn(SCHEMAS, source);

/**
 * @param text  one record of `signals`
 * @throws {RejectedError} `MALFORMED_RECORD`, `UNKNOWN_SOURCE`, `UNSUPPORTED_VERSION`, or `MALFORMED_SIGNAL` naming
 *                         each field at fault
 */
export function parseSignal(text: string): Signal {
  const record = parseRecord(text);
  const source = fieldOf(record, 'source');
  if (!isSource(source)) {
    return reject('UNKNOWN_SOURCE', 'source', `wants one of ${Object.keys(SCHEMAS).join(', ')}`);
  }
  if (fieldOf(record, 'v') !== 1) reject('UNSUPPORTED_VERSION', 'v', 'wants 1');
  return check<Signal>(SCHEMAS[source], record, 'MALFORMED_SIGNAL');
}
