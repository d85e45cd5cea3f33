import * as z from 'zod';
import { check, fieldOf, parseRecord } from './check.ts';
import { reject } from './errors.ts';
import { isTimeMs } from './names.ts';

/** Characters of a text that is not empty. */
const LIMITS = {
  principal: 2048,
  clientId: 128,
  sourceIp: 64,
  traceId: 128,
  messageId: 128,
} as const;
const FIELDS = ['principal', 'clientId', 'sourceIp', 'traceId', 'messageId'] as const;

/**
 * What the telemetry rule puts on `uplinks`: the raw payload beside what only the cloud knows. Unknown keys are
 * dropped. The bounds come in one step behind the shape, as field by field they would double the cost of the whole.
 */
export const Envelope = z
  .object({
    v: z.literal(1),
    source: z.literal('telemetry'),
    /** The payload's bytes, base64. */
    data: z.string(),
    topic: z.string(),
    /** Certificate id (X.509), `<role id>:<session>` or Cognito identity (SigV4), or what an authorizer answered. */
    principal: z.string(),
    /** `n/a` when the message did not come over MQTT. */
    clientId: z.string(),
    /** Absent when another rule republished the message. */
    sourceIp: z.string().optional(),
    receivedAtMs: z.number(),
    traceId: z.string().optional(),
    /** One per run of the rule: a redelivery of this record keeps it, a device's resend does not. */
    messageId: z.string(),
  })
  .superRefine((envelope, context) => {
    for (const field of FIELDS) {
      const limit = LIMITS[field];
      const length = envelope[field]?.length ?? 1;
      if (length >= 1 && length <= limit) continue;
      context.addIssue({
        code: 'custom',
        path: [field],
        message: `wants 1 to ${limit} characters`,
      });
    }
    if (!isTimeMs(envelope.receivedAtMs)) {
      const message = 'wants whole milliseconds of the years 1970 to 9999';
      context.addIssue({ code: 'custom', path: ['receivedAtMs'], message });
    }
  });
export type Envelope = z.infer<typeof Envelope>;

/**
 * Whether a record is an envelope that the schema takes, found out at a small part of its cost: each message comes by
 * here. What is not found to be so is left to the schema, which can say what is wrong.
 */
function isPlainEnvelope(record: Partial<Record<keyof Envelope, unknown>>): record is Envelope {
  const { receivedAtMs, sourceIp, traceId } = record;
  return (
    record.v === 1 &&
    record.source === 'telemetry' &&
    typeof record.data === 'string' &&
    typeof record.topic === 'string' &&
    isText(record.principal, LIMITS.principal) &&
    isText(record.clientId, LIMITS.clientId) &&
    isText(record.messageId, LIMITS.messageId) &&
    (sourceIp === undefined || isText(sourceIp, LIMITS.sourceIp)) &&
    (traceId === undefined || isText(traceId, LIMITS.traceId)) &&
    typeof receivedAtMs === 'number' &&
    isTimeMs(receivedAtMs)
  );
}

const withoutUnknown = (envelope: Envelope): Envelope => ({
  v: envelope.v,
  source: envelope.source,
  data: envelope.data,
  topic: envelope.topic,
  principal: envelope.principal,
  clientId: envelope.clientId,
  sourceIp: envelope.sourceIp,
  receivedAtMs: envelope.receivedAtMs,
  traceId: envelope.traceId,
  messageId: envelope.messageId,
});

const isText = (value: unknown, limit: number): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= limit;

/**
 * @param text  one record of `uplinks`
 * @returns     nothing for a record of LoRaWAN, which is another function's
 * @throws {RejectedError} `MALFORMED_ENVELOPE`, `UNKNOWN_SOURCE` or `UNSUPPORTED_VERSION`
 */
export function parseEnvelope(text: string): Envelope | undefined {
  const record = parseRecord(text);
  if (isPlainEnvelope(record)) return withoutUnknown(record);
  const source = fieldOf(record, 'source');
  if (source === 'lorawan') return undefined;
  if (source !== 'telemetry') {
    reject('UNKNOWN_SOURCE', 'source', 'wants telemetry (or lorawan, which decode takes)');
  }
  if (fieldOf(record, 'v') !== 1) reject('UNSUPPORTED_VERSION', 'v', 'wants 1');
  return check(Envelope, record, 'MALFORMED_ENVELOPE');
}

/**
 * The payload's bytes. Node's decoder skips what is not base64, so a length that does not fit tells.
 *
 * @throws {RejectedError} `MALFORMED_ENVELOPE` when `data` is not base64 of RFC 4648, section 4, padded
 */
export function payloadOf({ data }: Pick<Envelope, 'data'>): Buffer {
  const bytes = Buffer.from(data, 'base64');
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  if (data.length % 4 !== 0 || bytes.length !== (data.length / 4) * 3 - padding) {
    reject('MALFORMED_ENVELOPE', 'data', 'is not base64');
  }
  return bytes;
}
