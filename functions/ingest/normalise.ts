import type { Envelope } from '../../shared/core/envelope.ts';
import { payloadOf } from '../../shared/core/envelope.ts';
import { reject } from '../../shared/core/errors.ts';
import { decodePayload, type Sample } from '../../shared/core/payload.ts';
import { READING_LIMIT_BYTES, type Reading } from '../../shared/core/reading.ts';
import { payloadKey, readingId } from '../../shared/core/reading-id.ts';
import { observedAtMs } from '../../shared/core/time.ts';
import type { Topic } from '../../shared/core/topic.ts';
import { transportOf } from '../../shared/core/transport.ts';

/**
 * A device's message as canonical readings, one a sample. They are built from checked parts, so no schema is run over
 * them again here; a test holds them against it.
 *
 * @throws {RejectedError} when the payload or a clock cannot be taken; then none of the message's samples is
 */
export function normalise(envelope: Envelope, topic: Topic): readonly Reading[] {
  const samples = decodePayload(payloadOf(envelope));
  let key: string | undefined;
  const keyOnce = (): string => {
    key ??= payloadKey(envelope.data);
    return key;
  };
  return samples.map((sample) => toReading(sample, envelope, topic, keyOnce));
}

function toReading(
  { index, metrics, units, deviceMs, timePath, mid, seq }: Sample,
  envelope: Envelope,
  { thing, fleet, kind }: Topic,
  payload: () => string,
): Reading {
  const { messageId, receivedAtMs, principal, sourceIp, traceId } = envelope;
  const timed = deviceMs !== undefined || seq !== undefined;
  return {
    v: 1,
    id: readingId({ thing, kind, index, messageId, mid, timed }, payload),
    thing,
    fleet,
    kind,
    transport: transportOf(envelope),
    principal,
    sourceIp,
    observedAtMs: observedAtMs(deviceMs, receivedAtMs, timePath),
    receivedAtMs,
    metrics,
    units,
    raw: { messageId, index },
    traceId,
  };
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
