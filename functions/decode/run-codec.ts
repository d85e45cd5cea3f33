import * as z from 'zod';
import { CodecFault, isCostly } from '../../shared/codec-runtime/codec-fault.ts';
import type { CodecRuntime } from '../../shared/codec-runtime/codec-runtime.ts';
import { reject, safeText } from '../../shared/core/errors.ts';
import { decodeFields } from '../../shared/core/lorawan/formats/fields.ts';
import { type FormatResult, resultOf } from '../../shared/core/lorawan/formats/index.ts';
import {
  leftOutOf,
  type Measurement,
  measurementOf,
  normalizedMeasurements,
} from '../../shared/core/lorawan/measurements.ts';
import { LIMITS } from '../../shared/core/reading.ts';
import type { Breaker } from './breaker.ts';
import type { Decoder } from './shelf.ts';

const TEXT_LIMIT_CHARS = 300;
const WARNINGS_LIMIT = 20;

/** Texts, as the standard wants them; what else a codec puts there is shown as text. */
const Texts = z
  .union([
    z.string().transform((text) => [text]),
    z.array(z.unknown()).transform((list) => list.map(textOf)),
  ])
  .nullish()
  .transform((texts) => (texts ?? []).map((text) => safeText(text, TEXT_LIMIT_CHARS)));

const answerOf = <Data extends z.ZodType>(data: Data) =>
  z.object({ data, errors: Texts, warnings: Texts });
const Decoded = answerOf(z.record(z.string(), z.unknown()).optional());
const Normalized = answerOf(z.unknown().optional());

export interface Message {
  readonly payload: Uint8Array;
  readonly fPort: number;
  /** The codec's clock. */
  readonly atMs: number;
  readonly device: string;
}

/**
 * Decodes one payload with one codec.
 *
 * @throws {RejectedError} `CODEC_FAILED`, `CODEC_SUSPENDED` or `MALFORMED_PAYLOAD`, naming the codec and what it did
 */
export function runCodec(
  id: string,
  decoder: Decoder,
  message: Message,
  { runtime, breaker, now }: { runtime: CodecRuntime; breaker: Breaker; now: () => number },
): FormatResult {
  if (decoder.kind === 'fields') {
    return resultOf(decodeFields(decoder.format, message.payload, message.fPort));
  }
  if (decoder.kind === 'broken') return failed(id, decoder.fault);
  for (const name of [id, message.device]) {
    if (breaker.isOpen(name, now())) {
      reject('CODEC_SUSPENDED', id, `${name} spent whole budgets, and has to wait a minute`);
    }
  }
  try {
    const { answer, normalized } = runtime.run(
      decoder.codec,
      'decodeUplink',
      {
        bytes: [...message.payload],
        fPort: message.fPort,
        recvTime: message.atMs,
        variables: {},
        normalize: true,
      },
      message.atMs,
    );
    for (const name of [id, message.device]) breaker.cheap(name);
    return resultFrom(id, answer, normalized);
  } catch (error) {
    if (!(error instanceof CodecFault)) throw error;
    for (const name of [id, message.device]) {
      if (isCostly(error)) breaker.costly(name, now());
      else breaker.cheap(name);
    }
    return failed(id, error);
  }
}

const failed = (id: string, { code, message }: CodecFault): never =>
  reject('CODEC_FAILED', id, `${code}: ${safeText(message, TEXT_LIMIT_CHARS)}`);

function resultFrom(id: string, answer: unknown, normalized: unknown): FormatResult {
  const { errors, warnings, data } = read(id, Decoded, answer);
  if (errors.length > 0) failed(id, new CodecFault('CODEC_REPORTED_ERRORS', errors.join('; ')));
  if (data === undefined) {
    failed(id, new CodecFault('CODEC_ANSWER_INVALID', 'data is missing, wants an object'));
  }
  const decoded = measurementOf(data);
  const told = [...leftOutOf(data).map(leftOutWarning), ...warnings];
  if (normalized === undefined)
    return { measurements: [decoded], warnings: told.slice(0, WARNINGS_LIMIT) };
  const more = read(id, Normalized, normalized);
  if (more.errors.length > 0) {
    failed(
      id,
      new CodecFault('CODEC_REPORTED_ERRORS', `normalizeUplink: ${more.errors.join('; ')}`),
    );
  }
  return {
    measurements: joined(decoded, normalizedMeasurements(more.data)),
    warnings: [...told, ...more.warnings].slice(0, WARNINGS_LIMIT),
  };
}

const leftOutWarning = (path: string): string =>
  `${safeText(path, TEXT_LIMIT_CHARS)} is left out: longer than ${LIMITS.textChars} characters`;

/** One normalised measurement adds its names to the codec's own; several are readings of their own, with their times. */
function joined(decoded: Measurement, normalized: readonly Measurement[]): readonly Measurement[] {
  const [only, ...others] = normalized;
  if (only === undefined) return [decoded];
  if (others.length > 0) return [decoded, ...normalized];
  return [
    {
      metrics: { ...decoded.metrics, ...only.metrics },
      units: { ...decoded.units, ...only.units },
      deviceMs: only.deviceMs,
    },
  ];
}

function read<Output>(id: string, schema: z.ZodType<Output>, answer: unknown): Output {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const wanted = 'wants {data: an object, errors?, warnings?: lists of texts}';
  return failed(id, new CodecFault('CODEC_ANSWER_INVALID', wanted));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}
