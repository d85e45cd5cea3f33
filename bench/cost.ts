import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { historyKey, latestKey } from '../shared/core/keys.ts';
import { EXAMPLE_READING } from '../shared/core/reading.ts';

/**
 * What a million messages cost, from the sizes of a real envelope, reading and item. List prices of us-east-1 in USD,
 * without free tiers, as public sources quoted them in 2025 and 2026: check them before you rely on a total.
 */
const PRICES = {
  iotMessage: 1.0 / 1e6,
  iotRule: 0.15 / 1e6,
  iotAction: 0.15 / 1e6,
  lorawanMessage: 2.3 / 1e6,
  lambdaRequest: 0.2 / 1e6,
  lambdaGbSecond: 0.0000133334,
  kinesisPutUnit: 0.014 / 1e6,
  kinesisShardHour: 0.015,
  dynamoWrite: 0.625 / 1e6,
  dynamoRead: 0.125 / 1e6,
  kmsKeyMonth: 1,
} as const;

const MESSAGES = 1e6;
const HOURS_A_MONTH = 730;
/** Records a batch holds: a stream that is busy, but not full. */
const BATCH = 100;
/** What `detect` and `guard` keep of a device beside its latest value: the ceiling of `detect`, one of `guard`. */
const STATES_PER_DEVICE = 1.1 + 1;
/** Consistent ones of up to 4 KB: the two items of `detect`, the one of `guard`. */
const READS_PER_DEVICE = 3;
const LAMBDA_GB = 1;
/** Billed time of a batch: CPU of a hundred messages, four calls, and the way to them. */
const BATCH_SECONDS = 0.1;
/** What a handler that stores one message takes, billed at 128 MB. */
const NAIVE_GB_SECONDS = 0.02 * 0.125;

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const units = (size: number, unit: number): number => Math.ceil(size / unit);

const sample: { Records: { kinesis: { data: string } }[] } = JSON.parse(
  readFileSync('events/ingest.flat.json', 'utf8'),
);
const envelopeBytes = Buffer.from(sample.Records[0]?.kinesis.data ?? '', 'base64').length;
const readingBytes = bytes(EXAMPLE_READING);
const { thing, kind, observedAtMs, id } = EXAMPLE_READING;
const historyBytes = readingBytes + bytes(historyKey(thing, observedAtMs, id)) + 30;
const latestBytes = readingBytes + bytes(latestKey(thing, kind));

const rule = PRICES.iotRule + PRICES.iotAction;

/**
 * @param devices  in a batch, by the messages in it: what is kept of a device is read and written once a batch
 * @param windows  of frame counters that `decode` keeps of a device
 */
function behindTheRule(devices: number, windows = 0) {
  // `ingest` or `decode`, `record` and `detect` for each message; `guard` for what is counted once per device and batch
  const invocations = (3 + devices) / BATCH;
  return {
    'rule and action': rule,
    'streams, put units':
      PRICES.kinesisPutUnit *
      (units(envelopeBytes, 25_000) + units(readingBytes, 25_000) + devices),
    functions:
      invocations * (PRICES.lambdaRequest + LAMBDA_GB * BATCH_SECONDS * PRICES.lambdaGbSecond),
    tables:
      PRICES.dynamoWrite *
        (units(historyBytes, 1024) +
          (STATES_PER_DEVICE + windows + units(latestBytes, 1024)) * devices) +
      PRICES.dynamoRead * (READS_PER_DEVICE + windows) * devices,
  };
}

const naiveBehindTheRule =
  PRICES.lambdaRequest + NAIVE_GB_SECONDS * PRICES.lambdaGbSecond + PRICES.dynamoWrite;

const WAYS = [
  { way: 'MQTT or HTTPS, four a device and batch', door: PRICES.iotMessage, devices: 1 / 4 },
  { way: 'MQTT or HTTPS, one a device and batch', door: PRICES.iotMessage, devices: 1 },
  { way: 'the first by Basic Ingest', door: 0, devices: 1 / 4 },
  { way: 'LoRaWAN, one a device and batch', door: PRICES.lorawanMessage, devices: 1, windows: 1 },
];

const total = (parts: Readonly<Record<string, number>>): number =>
  Object.values(parts).reduce((sum, part) => sum + part, 0);

const rows = WAYS.map(({ way, door, devices, windows }) => ({
  way,
  tributary: MESSAGES * (door + total(behindTheRule(devices, windows))),
  naive: MESSAGES * (door + rule + naiveBehindTheRule),
}));
const parts = Object.fromEntries(
  Object.entries(behindTheRule(1 / 4)).map(([part, amount]) => [part, MESSAGES * amount]),
);
const fixed = {
  '5 shards (dev: uplinks 2, readings 2, signals 1)': 5 * HOURS_A_MONTH * PRICES.kinesisShardHour,
  'KMS key': PRICES.kmsKeyMonth,
};

const dollars = (amount: number): string => `$${amount.toFixed(2)}`;

if (values.json) {
  const sizes = { envelopeBytes, readingBytes, historyBytes, latestBytes };
  process.stdout.write(`${JSON.stringify({ rows, parts, fixedPerMonth: fixed, sizes })}\n`);
} else {
  const lines = [
    '| a million messages by | Tributary | naive |',
    '|---|---|---|',
    ...rows.map(
      ({ way, tributary, naive }) => `| ${way} | ${dollars(tributary)} | ${dollars(naive)} |`,
    ),
    '',
    `Of the first, behind the door: ${Object.entries(parts)
      .map(([part, amount]) => `${part} ${dollars(amount)}`)
      .join(', ')}.`,
    `A month, whatever is sent: ${Object.entries(fixed)
      .map(([part, amount]) => `${part} ${dollars(amount)}`)
      .join(', ')}.`,
    `Sizes in bytes: envelope ${envelopeBytes}, reading ${readingBytes}, history item ${historyBytes}, latest item ${latestBytes}.`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
