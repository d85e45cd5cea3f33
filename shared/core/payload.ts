import { reject } from './errors.ts';
import { looksLikeCbor, parseCbor } from './payload/cbor.ts';
import { parseJson, refuseDuplicates } from './payload/json.ts';
import { gatherMetrics, isObject, type PayloadObject } from './payload/metrics.ts';
import type { Metric } from './reading.ts';
import { deviceTimeMs } from './time.ts';

const PAYLOAD_LIMIT_BYTES = 128 * 1024;
const SAMPLES_LIMIT = 1000;
const MID_LIMIT_CHARS = 128;

/** Keys at a sample's root that are about the sample and not of it. */
const RESERVED: ReadonlySet<string> = new Set(['ts', 'timestamp', 'mid', 'seq']);

/** One set of metrics that a device took at one time. */
export interface Sample {
  readonly index: number;
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly units: Readonly<Record<string, string>> | undefined;
  /** The device's clock, as sent. */
  readonly deviceMs: number | undefined;
  /** Where in the payload that time was. */
  readonly timePath: string;
  readonly mid: string | number | undefined;
  readonly seq: number | undefined;
}

/**
 * Reads a device's payload: JSON (UTF-8) or CBOR, told apart by the first byte; an object of metrics, or an array of
 * such objects, each with its own time.
 *
 * @throws {RejectedError} `MALFORMED_PAYLOAD` or `PAYLOAD_TOO_LARGE`, naming what and where
 */
export function decodePayload(bytes: Uint8Array): readonly Sample[] {
  if (bytes.length === 0) reject('MALFORMED_PAYLOAD', '(root)', 'is empty');
  if (bytes.length > PAYLOAD_LIMIT_BYTES) {
    reject('PAYLOAD_TOO_LARGE', '(root)', `has ${bytes.length} bytes, ${PAYLOAD_LIMIT_BYTES} fit`);
  }
  if (looksLikeCbor(bytes)) return readSamples(parseCbor(bytes)).samples;
  const text = decodeText(bytes);
  const { samples, members } = readSamples(parseJson(text));
  refuseDuplicates(text, members);
  return samples;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeText(bytes: Uint8Array): string {
  const mark = BYTE_ORDER_MARKS.find(([, ...start]) =>
    start.every((byte, at) => bytes[at] === byte),
  );
  if (mark !== undefined) {
    reject(
      'MALFORMED_PAYLOAD',
      '(root)',
      `begins with a byte order mark (${mark[0]}); send UTF-8 without`,
    );
  }
  try {
    return utf8.decode(bytes);
  } catch {
    return reject('MALFORMED_PAYLOAD', '(root)', 'is neither UTF-8 nor CBOR');
  }
}

const BYTE_ORDER_MARKS: readonly (readonly [string, ...number[]])[] = [
  ['UTF-8', 0xef, 0xbb, 0xbf],
  ['UTF-16, big-endian', 0xfe, 0xff],
  ['UTF-16, little-endian', 0xff, 0xfe],
];

interface Read {
  readonly samples: readonly Sample[];
  /** Members of all objects, for the search for duplicates. */
  readonly members: number;
}

function readSamples(value: unknown): Read {
  if (isObject(value)) {
    const { sample, members } = readSample(value, 0, '');
    return { samples: [sample], members };
  }
  if (!Array.isArray(value)) {
    return reject(
      'MALFORMED_PAYLOAD',
      '(root)',
      'wants an object of metrics, or an array of timed samples',
    );
  }
  if (value.length === 0) reject('MALFORMED_PAYLOAD', '(root)', 'is an empty array');
  if (value.length > SAMPLES_LIMIT) {
    reject('MALFORMED_PAYLOAD', '(root)', `has ${value.length} samples, ${SAMPLES_LIMIT} fit`);
  }
  return readTimedSamples(value);
}

function readTimedSamples(values: readonly unknown[]): Read {
  let total = 0;
  const samples = values.map((value, index) => {
    if (!isObject(value))
      return reject('MALFORMED_PAYLOAD', `[${index}]`, 'wants an object of metrics');
    const { sample, members } = readSample(value, index, `[${index}].`);
    if (sample.deviceMs === undefined) {
      return reject(
        'MALFORMED_PAYLOAD',
        `[${index}].ts`,
        'is missing: each sample of an array has its time',
      );
    }
    total += members;
    return sample;
  });
  return { samples, members: total };
}

function readSample(
  value: PayloadObject,
  index: number,
  at: string,
): { readonly sample: Sample; readonly members: number } {
  const { metrics, units, names, members } = gatherMetrics(value, at, RESERVED);
  if (names === 0)
    reject('MALFORMED_PAYLOAD', at === '' ? '(root)' : `[${index}]`, 'has no metric');
  const timePath = at + timeKey(value, at);
  const sample = {
    index,
    metrics,
    units,
    deviceMs: whenThere(value['ts'] ?? value['timestamp'], timePath, deviceTimeMs),
    timePath,
    mid: whenThere(value['mid'], `${at}mid`, readMid),
    seq: whenThere(value['seq'], `${at}seq`, readSeq),
  };
  return { sample, members };
}

/** Under which of its two names a sample has its time. */
function timeKey({ ts = null, timestamp = null }: PayloadObject, at: string): string {
  if (timestamp === null) return 'ts';
  if (ts !== null) {
    reject('MALFORMED_PAYLOAD', `${at}timestamp`, 'is there beside ts; send one of them');
  }
  return 'timestamp';
}

const whenThere = <Value>(
  value: unknown,
  path: string,
  read: (value: unknown, path: string) => Value,
): Value | undefined => (value === undefined || value === null ? undefined : read(value, path));

function readMid(mid: unknown, path: string): string | number {
  if (typeof mid === 'number' && Number.isSafeInteger(mid)) return mid === 0 ? 0 : mid;
  if (typeof mid === 'string' && isMid(mid)) return mid;
  return reject('MALFORMED_PAYLOAD', path, `wants an integer or a text of 1 to ${MID_LIMIT_CHARS}`);
}

const isMid = (text: string): boolean =>
  text.length > 0 && text.length <= MID_LIMIT_CHARS && text.isWellFormed();

function readSeq(seq: unknown, path: string): number {
  if (typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0) return seq === 0 ? 0 : seq;
  return reject('MALFORMED_PAYLOAD', path, 'wants an integer from 0');
}
