import { CodecFault } from '../shared/codec-runtime/codec-fault.ts';
import { RejectedError } from '../shared/core/errors.ts';
import { measurementOf } from '../shared/core/lorawan/measurements.ts';
import type { Metric, Reading } from '../shared/core/reading.ts';
import type { Tried } from './codec-vectors.ts';

/** What another codec makes of a stored payload, beside what was stored. */
export interface Redecoded {
  readonly observedAtMs: number;
  readonly payload: string;
  readonly fPort: number;
  /** Metrics that differ: what is stored, what it would be. */
  readonly changes: readonly {
    readonly name: string;
    readonly from?: Metric;
    readonly to?: Metric;
  }[];
  /** Why it cannot be decoded so. */
  readonly problem?: string;
}

/** Runs stored raw payloads through a codec; readings without one are passed over. */
export function redecode(tried: Tried, readings: readonly Reading[]): Redecoded[] {
  return readings.flatMap((reading) => {
    const { data, fPort } = reading.raw;
    if (data === undefined || data === '' || fPort === undefined || fPort === 0 || fPort > 223)
      return [];
    const bytes = Buffer.from(data, 'base64');
    const what = { observedAtMs: reading.observedAtMs, payload: bytes.toString('hex'), fPort };
    try {
      const metrics = decodeAgain(tried, [...bytes], fPort, reading);
      return [{ ...what, changes: changesBetween(reading.metrics, metrics) }];
    } catch (error) {
      return [{ ...what, changes: [], problem: reasonOf(error) }];
    }
  });
}

function decodeAgain(
  tried: Tried,
  bytes: readonly number[],
  fPort: number,
  { observedAtMs }: Reading,
): Readonly<Record<string, Metric>> {
  const answer = Object(
    tried.ask('decodeUplink', { bytes, fPort, recvTime: observedAtMs, variables: {} }),
  ) as { data?: unknown; errors?: unknown };
  if (Array.isArray(answer.errors) && answer.errors.length > 0) {
    throw new CodecFault('CODEC_REPORTED_ERRORS', answer.errors.join('; '));
  }
  return measurementOf(answer.data).metrics;
}

function changesBetween(
  from: Readonly<Record<string, Metric>>,
  to: Readonly<Record<string, Metric>>,
): Redecoded['changes'] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((name) => from[name] !== to[name])
    .map((name) => ({
      name,
      ...(from[name] !== undefined && { from: from[name] }),
      ...(to[name] !== undefined && { to: to[name] }),
    }));
}

function reasonOf(error: unknown): string {
  if (error instanceof CodecFault) return `${error.code}: ${error.message}`;
  if (error instanceof RejectedError) return error.issues.join('; ');
  throw error;
}
