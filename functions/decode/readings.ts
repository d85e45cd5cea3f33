import { reject } from '../../shared/core/errors.ts';
import { frameId } from '../../shared/core/lorawan/frame-id.ts';
import { linkOf } from '../../shared/core/lorawan/link.ts';
import type { Measurement } from '../../shared/core/lorawan/measurements.ts';
import type { LorawanEnvelope, Uplink } from '../../shared/core/lorawan/uplink.ts';
import { LIMITS, READING_LIMIT_BYTES, type Reading } from '../../shared/core/reading.ts';
import { readingId } from '../../shared/core/reading-id.ts';
import { isTrustedTime, observedAtMs } from '../../shared/core/time.ts';

/** What is known of an uplink once it is decoded. */
export interface Decoded {
  readonly thing: string;
  readonly fleet: string;
  readonly payload: Uint8Array;
  /** Of the envelope inside the payload: it tells a message from others where the network is not believed. */
  readonly counter: number | undefined;
  readonly codec: string | undefined;
  readonly measurements: readonly Measurement[];
  readonly warnings: readonly string[];
  readonly lostUplinks: number | undefined;
}

const READINGS_LIMIT = 1_000;

/** A frame as canonical readings; the raw payload is with the first, so that it can be decoded again. */
export function readingsFrom(
  envelope: LorawanEnvelope,
  uplink: Uplink,
  decoded: Decoded,
): readonly Reading[] {
  const { measurements } = decoded;
  if (measurements.length > READINGS_LIMIT) {
    reject(
      'MALFORMED_PAYLOAD',
      'data',
      `has ${measurements.length} measurements, ${READINGS_LIMIT} fit`,
    );
  }
  return measurements.map((measurement, index) => ({
    ...readingOf(envelope, uplink, decoded, measurement, index),
    ...(index === 0 && { link: linkOf(uplink, decoded.lostUplinks) }),
  }));
}

function readingOf(
  { messageId, receivedAtMs, traceId }: LorawanEnvelope,
  uplink: Uplink,
  { thing, fleet, payload, counter, codec, warnings }: Decoded,
  { metrics, units, deviceMs }: Measurement,
  index: number,
): Reading {
  const count = Object.keys(metrics).length;
  if (count > LIMITS.metrics) {
    reject('MALFORMED_PAYLOAD', 'data', `has ${count} metrics, ${LIMITS.metrics} fit`);
  }
  const mid = counter === undefined ? frameId(uplink) : `envelope ${counter}`;
  const kind = 'telemetry';
  return {
    v: 1,
    id: readingId({ thing, kind, index, messageId, mid, timed: false }, () => ''),
    thing,
    fleet,
    kind,
    transport: 'lorawan',
    observedAtMs: observed(deviceMs, uplink.heardAtMs, receivedAtMs, index),
    receivedAtMs,
    metrics,
    units,
    raw: {
      messageId,
      index,
      codec,
      ...(index === 0 && {
        data: Buffer.from(payload).toString('base64'),
        fPort: uplink.radio.fPort,
        fCnt: uplink.fCnt,
        devEui: uplink.devEui,
        ...(warnings.length > 0 && { warnings: [...warnings] }),
      }),
    },
    traceId,
  };
}

/** The device's time, else when the network heard it: the same for each delivery of the frame; else time of receipt. */
function observed(
  deviceMs: number | undefined,
  heardAtMs: number | undefined,
  receivedAtMs: number,
  index: number,
): number {
  if (deviceMs !== undefined) return observedAtMs(deviceMs, receivedAtMs, `[${index}].time`);
  if (heardAtMs === undefined || !isTrustedTime(heardAtMs, receivedAtMs)) return receivedAtMs;
  return Math.min(heardAtMs, receivedAtMs);
}

/** @throws {RejectedError} `READING_TOO_LARGE` when no table could hold it */
export function encodeReading(reading: Reading): Uint8Array {
  const data = Buffer.from(JSON.stringify(reading));
  if (data.length > READING_LIMIT_BYTES) {
    const sizes = `takes ${data.length} bytes, ${READING_LIMIT_BYTES} fit`;
    reject('READING_TOO_LARGE', `[${reading.raw.index}]`, sizes);
  }
  return data;
}
