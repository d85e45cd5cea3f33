import * as z from 'zod';
import { check, fieldOf, parseRecord } from './check.ts';
import { reject } from './errors.ts';
import { Kind, Name, TimeMs } from './names.ts';

export const LIMITS = {
  metrics: 256,
  nameChars: 128,
  textChars: 1024,
  unitChars: 32,
} as const;

/**
 * What a reading may take as JSON. Its item takes no more than that and its keys, which an item of DynamoDB (400 KB)
 * still holds; and a dead letter of it fits a message of SQS (1 MiB).
 */
export const READING_LIMIT_BYTES = 400_000;

/** DynamoDB keeps magnitudes from 1E-130; doubles go down to 5E-324. */
export const SMALLEST_NUMBER = 1e-130;

/**
 * Finite, and the very number the device sent: beyond ±(2^53 - 1) a double stands for several integers, so that
 * reading it would change it silently. Below 1E-130 the table cannot hold it.
 */
export const isExactNumber = (value: number): boolean =>
  value === 0 || (Math.abs(value) >= SMALLEST_NUMBER && Math.abs(value) <= Number.MAX_SAFE_INTEGER);

/** Names as most are, at the cost of one look. */
const PLAIN_NAME = /^[\w.-]{1,128}$/;

/** Well-formed UTF-16, so that it survives UTF-8, without control characters. */
export const isMetricName = (text: string): boolean =>
  PLAIN_NAME.test(text) ||
  (text.length > 0 &&
    text.length <= LIMITS.nameChars &&
    text.isWellFormed() &&
    !/\p{Cc}/u.test(text));

export const isMetricText = (text: string): boolean =>
  text.length <= LIMITS.textChars && text.isWellFormed();

export const isUnit = (text: string): boolean =>
  text.length > 0 && text.length <= LIMITS.unitChars && text.isWellFormed();

export type Metric = number | boolean | string;

const isMetric = (value: unknown): boolean =>
  (typeof value === 'number' && isExactNumber(value)) ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && isMetricText(value));

/**
 * A record whose names and values each pass a test. `z.record` would do, at twenty times the cost, for what is most of
 * a reading; the issues have the same paths.
 */
const recordOf = <Value>(fits: (value: unknown) => boolean, wanted: string) =>
  z
    .custom<Record<string, Value>>(isRecord, 'Invalid input: expected record')
    .superRefine((record, context) => {
      const names = Object.keys(record);
      if (names.length > LIMITS.metrics) {
        context.addIssue(`has ${names.length} names, ${LIMITS.metrics} fit`);
      }
      for (const name of names) {
        if (!isMetricName(name) || name === '__proto__') {
          context.addIssue({ code: 'custom', path: [name], message: 'is not a metric name' });
        }
        if (!fits(record[name])) {
          context.addIssue({ code: 'custom', path: [name], message: wanted });
        }
      }
    });

const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const Metrics = recordOf<Metric>(isMetric, 'wants an exact number, a boolean or a short text');
const Units = recordOf<string>(
  (value) => typeof value === 'string' && isUnit(value),
  `wants a text of 1 to ${LIMITS.unitChars}`,
);

/** How the radio heard it: LoRaWAN only. */
const Link = z.object({
  /** Of all gateways that heard it, the one with the strongest signal; so are `rssiDbm` and `snrDb`. */
  gateway: z.string().min(1).max(64).optional(),
  rssiDbm: z.number().optional(),
  snrDb: z.number().optional(),
  /** How many gateways heard it. */
  gateways: z.int().min(1).optional(),
  frequencyHz: z.int().positive().optional(),
  dataRate: z.string().min(1).max(32).optional(),
  spreadingFactor: z.int().min(5).max(12).optional(),
  bandwidthKhz: z.int().positive().optional(),
  /** Uplinks between the one before it and this one that nobody heard. */
  lostUplinks: z.int().min(0).optional(),
  /** The device's own account: of its battery, and of how well it heard the network (SNR over the limit). */
  batteryPercent: z.number().min(0).max(100).optional(),
  externalPower: z.boolean().optional(),
  marginDb: z.number().optional(),
});

/**
 * The canonical reading: the one shape that everything behind `ingest` and `decode` knows, whatever protocol the
 * device spoke.
 */
export const Reading = z.object({
  v: z.literal(1),
  /** Deterministic: a redelivery has the same id (`reading-id.ts`). */
  id: z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'wants 22 characters of base64url'),
  thing: Name,
  /** The tenant. */
  fleet: Name,
  kind: Kind,
  transport: z.enum(['mqtt', 'wss', 'https', 'lorawan']),
  principal: z.string().min(1).max(2048).optional(),
  sourceIp: z.string().min(1).max(64).optional(),
  /** The device's clock within its bounds of trust, else the cloud's. */
  observedAtMs: TimeMs,
  receivedAtMs: TimeMs,
  /** Empty where the device sent names without values: it is alive and has nothing to say. */
  metrics: Metrics,
  /** Unit of a metric, as the device wrote it. */
  units: Units.optional(),
  link: Link.optional(),
  /** Where it came from: the envelope's message id and the sample within; the raw frame for LoRaWAN (base64). */
  raw: z.object({
    messageId: z.string().min(1).max(128),
    index: z.int().min(0).max(999),
    data: z.string().optional(),
    /** LoRaWAN only, and all that decoding the data again takes. */
    fPort: z.int().min(0).max(255).optional(),
    fCnt: z.int().min(0).optional(),
    devEui: z.string().min(1).max(32).optional(),
    /** What decoded it: `name@version`, or the name of a format. */
    codec: z.string().min(1).max(128).optional(),
    /** What the codec had to say about it. */
    warnings: z.array(z.string().max(1_000)).max(20).optional(),
  }),
  traceId: z.string().min(1).max(128).optional(),
});
export type Reading = z.infer<typeof Reading>;

/**
 * @param text  one record of `readings`
 * @throws {RejectedError} `MALFORMED_RECORD`, `UNSUPPORTED_VERSION`, or `MALFORMED_READING` naming each field at fault
 */
export function parseReading(text: string): Reading {
  const record = parseRecord(text);
  if (fieldOf(record, 'v') !== 1) reject('UNSUPPORTED_VERSION', 'v', 'wants 1');
  return check(Reading, record, 'MALFORMED_READING');
}

/** One whole reading, for documents and tests. */
export const EXAMPLE_READING: Reading = {
  v: 1,
  id: 'bM9Jq0Cq2vYx1LrT0oZk3w',
  thing: 'probe-1',
  fleet: 'acme',
  kind: 'telemetry',
  transport: 'mqtt',
  principal: '7f4b1c0e9a3d5f62b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5',
  sourceIp: '203.0.113.7',
  observedAtMs: 1_790_000_000_000,
  receivedAtMs: 1_790_000_000_250,
  metrics: { temperature: 21.5, 'battery.voltage': 3.71, door: 'closed', charging: false },
  units: { 'battery.voltage': 'V' },
  raw: { messageId: '0f1ab6f4-30a3-4a7e-8a52-9d1d3cf0a7c1', index: 0 },
  traceId: '6f9c2f7a-6a3c-4bd0-9df2-3b0f7f6f7d21',
};
