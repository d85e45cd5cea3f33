import * as z from 'zod';
import { check, fieldOf, parseRecord } from '../check.ts';
import { reject } from '../errors.ts';
import { isTimeMs, NAME, Name, TimeMs } from '../names.ts';

const Count = z.int().nonnegative();
const SEQUENCE = /^\d{1,128}$/;
const MARKS_LIMIT = 100_000;

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
  from: z.string().regex(SEQUENCE),
  to: z.string().regex(SEQUENCE),
  /** Receive time of the last of them. */
  atMs: TimeMs,
  messages: Count,
  bytes: Count,
  malformed: Count,
  largestBytes: Count,
  /**
   * Of several records, each: what its sequence number ends in behind what all have in common, bytes, whether it was
   * malformed, and what its radio tells in the order of `RADIO_COUNTS`, if anything. `12:180:0,13:44:1:0.0.0.1.0`
   */
  marks: z.string().max(MARKS_LIMIT).optional(),
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
 * Whether a record is counters that the schema takes, found out at a third of its cost: they are most of what there
 * is. What is not found to be so here is left to the schema, which knows more and can say what is wrong.
 */
function isPlainCounters(record: Partial<Record<keyof Counters, unknown>>): record is Counters {
  const { thing, fleet, from, to, atMs, marks, radio } = record;
  return (
    record.v === 1 &&
    record.source === 'counters' &&
    (record.function === 'ingest' || record.function === 'decode') &&
    typeof thing === 'string' &&
    NAME.test(thing) &&
    typeof fleet === 'string' &&
    NAME.test(fleet) &&
    typeof from === 'string' &&
    SEQUENCE.test(from) &&
    typeof to === 'string' &&
    SEQUENCE.test(to) &&
    typeof atMs === 'number' &&
    isTimeMs(atMs) &&
    isCount(record.messages) &&
    isCount(record.bytes) &&
    isCount(record.malformed) &&
    isCount(record.largestBytes) &&
    (marks === undefined || (typeof marks === 'string' && marks.length <= MARKS_LIMIT)) &&
    (radio === undefined || isPlainRadio(radio))
  );
}

/** What is counted of a frame's radio, in the order of `marks`. */
export const RADIO_COUNTS = [
  'joins',
  'gaps',
  'resets',
  'repeats',
  'micFailures',
] as const satisfies readonly (keyof NonNullable<Counters['radio']>)[];

const isPlainRadio = (radio: unknown): boolean =>
  typeof radio === 'object' &&
  radio !== null &&
  !Array.isArray(radio) &&
  RADIO_COUNTS.every((name) => {
    const value = fieldOf(radio, name);
    return value === undefined || isCount(value);
  });

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/**
 * @param text  one record of `signals`
 * @throws {RejectedError} `MALFORMED_RECORD`, `UNKNOWN_SOURCE`, `UNSUPPORTED_VERSION`, or `MALFORMED_SIGNAL` naming
 *                         each field at fault
 */
export function parseSignal(text: string): Signal {
  const record = parseRecord(text);
  if (isPlainCounters(record)) return record;
  const source = fieldOf(record, 'source');
  if (!isSource(source)) {
    return reject('UNKNOWN_SOURCE', 'source', `wants one of ${Object.keys(SCHEMAS).join(', ')}`);
  }
  if (fieldOf(record, 'v') !== 1) reject('UNSUPPORTED_VERSION', 'v', 'wants 1');
  return check<Signal>(SCHEMAS[source], record, 'MALFORMED_SIGNAL');
}
