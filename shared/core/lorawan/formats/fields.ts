import * as z from 'zod';
import { check } from '../../check.ts';
import { reject } from '../../errors.ts';
import { isMetricName, LIMITS, type Metric } from '../../reading.ts';
import type { Decoded } from './cayenne-lpp.ts';

const SIZES = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint24: 3,
  int24: 3,
  uint32: 4,
  int32: 4,
  float32: 4,
  float64: 8,
} as const;
type NumberType = keyof typeof SIZES;
const TYPES = [...(Object.keys(SIZES) as NumberType[]), 'bool', 'text', 'hex'] as const;

const PAYLOAD_LIMIT_BYTES = 242;
const Position = z.int().min(-PAYLOAD_LIMIT_BYTES).max(PAYLOAD_LIMIT_BYTES);
const Order = z.enum(['big', 'little']);

const Field = z.strictObject({
  name: z.string().refine(isMetricName, 'is not a metric name'),
  /** First byte; below zero counts from the end. */
  at: Position,
  type: z.enum(TYPES),
  byteOrder: Order.optional(),
  /** For numbers and `bool`: these bits of the value only, 0 the lowest. */
  bits: z.tuple([z.int().min(0).max(31), z.int().min(0).max(31)]).optional(),
  /** For `text` and `hex`: so many bytes; to the end where it is left out. */
  bytes: z.int().min(1).max(PAYLOAD_LIMIT_BYTES).optional(),
  /** value × multiply ÷ divide + add; dividing keeps decimals that multiplying by a fraction would blur. */
  multiply: z.number().optional(),
  divide: z
    .number()
    .refine((by) => by !== 0, 'must not be 0')
    .optional(),
  add: z.number().optional(),
  unit: z.string().min(1).max(LIMITS.unitChars).optional(),
  /** Raw values that say that there is none. */
  none: z.array(z.number()).max(16).optional(),
  /** Names for raw values. */
  values: z.record(z.string(), z.string().max(LIMITS.textChars)).optional(),
  /** Left out where the payload is too short for it, instead of a fault. */
  optional: z.boolean().optional(),
});
type Field = z.infer<typeof Field>;

const Message = z.strictObject({
  /** All of it has to hold; the first message that fits is taken. */
  when: z
    .strictObject({
      fPort: z.int().min(1).max(223).optional(),
      bytes: z.int().min(1).max(PAYLOAD_LIMIT_BYTES).optional(),
      at: z
        .array(z.strictObject({ at: Position, is: z.int().min(0).max(255) }))
        .max(8)
        .optional(),
    })
    .default({}),
  fields: z.array(Field).min(1).max(LIMITS.metrics),
});
type Message = z.infer<typeof Message>;

/** A payload described as data: which bytes, read how, are which metric. */
export const FieldFormat = z.strictObject({
  byteOrder: Order.default('big'),
  messages: z.array(Message).min(1).max(64),
});
export type FieldFormat = z.infer<typeof FieldFormat>;

/** @throws {RejectedError} `CODEC_UNAVAILABLE` naming what is no description of fields */
export function parseFieldFormat(source: string): FieldFormat {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    reject('CODEC_UNAVAILABLE', '(root)', 'the description of fields is not JSON');
  }
  return check(FieldFormat, value, 'CODEC_UNAVAILABLE');
}

/** @throws {RejectedError} `MALFORMED_PAYLOAD` when no message fits, or a field lies outside */
export function decodeFields(format: FieldFormat, bytes: Uint8Array, fPort: number): Decoded {
  const message = format.messages.find(({ when }) => fits(when, bytes, fPort));
  if (message === undefined) {
    return reject(
      'MALFORMED_PAYLOAD',
      '(root)',
      `no message fits ${bytes.length} bytes on FPort ${fPort}`,
    );
  }
  const metrics: Record<string, Metric> = {};
  const units: Record<string, string> = {};
  for (const field of message.fields) {
    const value = readField(field, bytes, field.byteOrder ?? format.byteOrder);
    if (value === undefined) continue;
    if (Object.hasOwn(metrics, field.name))
      reject('MALFORMED_PAYLOAD', field.name, 'is there twice');
    metrics[field.name] = value;
    if (field.unit !== undefined) units[field.name] = field.unit;
  }
  return {
    metrics,
    units: Object.keys(units).length === 0 ? undefined : units,
    warning: undefined,
  };
}

const fits = (when: Message['when'], bytes: Uint8Array, fPort: number): boolean =>
  (when.fPort ?? fPort) === fPort &&
  (when.bytes ?? bytes.length) === bytes.length &&
  (when.at ?? []).every(({ at, is }) => bytes.at(at) === is);

function readField(field: Field, bytes: Uint8Array, order: 'big' | 'little'): Metric | undefined {
  const { name, at, type } = field;
  const from = at < 0 ? bytes.length + at : at;
  const size = sizeOf(field, bytes.length - from);
  if (from < 0 || size < 1 || from + size > bytes.length) {
    if (field.optional === true) return undefined;
    return reject('MALFORMED_PAYLOAD', name, `lies outside of ${bytes.length} bytes`);
  }
  const part = Buffer.from(bytes.subarray(from, from + size));
  if (type === 'hex') return part.toString('hex');
  if (type === 'text') return part.toString('latin1').replace(/[\0 ]+$/, '');
  return numberOf(field, bitsOf(field, rawOf(type === 'bool' ? 'uint8' : type, part, order)));
}

function sizeOf({ type, bytes }: Field, left: number): number {
  if (type === 'text' || type === 'hex') return bytes ?? left;
  return type === 'bool' ? 1 : SIZES[type];
}

function rawOf(type: NumberType, part: Buffer, order: 'big' | 'little'): number {
  if (order === 'big') part.reverse();
  if (type === 'float32') return part.readFloatLE();
  if (type === 'float64') return part.readDoubleLE();
  return type.startsWith('u') ? part.readUIntLE(0, part.length) : part.readIntLE(0, part.length);
}

function bitsOf({ bits }: Field, raw: number): number {
  if (bits === undefined) return raw;
  const [low, high] = bits;
  return Math.floor((raw >>> 0) / 2 ** low) % 2 ** (high - low + 1);
}

function numberOf(field: Field, raw: number): Metric | undefined {
  const { name, type, none, values, multiply = 1, divide = 1, add = 0 } = field;
  if (none?.includes(raw) === true) return undefined;
  if (type === 'bool') return raw !== 0;
  if (values !== undefined) return values[String(raw)] ?? raw;
  const value = (raw * multiply) / divide + add;
  if (!Number.isFinite(value))
    reject('MALFORMED_PAYLOAD', name, `is not a finite number (${value})`);
  return add === 0 ? value : Number(value.toPrecision(12));
}
