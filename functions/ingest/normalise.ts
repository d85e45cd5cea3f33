import type { Envelope } from '../../shared/core/envelope.ts';
import { payloadOf } from '../../shared/core/envelope.ts';
import { reject } from '../../shared/core/errors.ts';
import { decodePayload, type Sample } from '../../shared/core/payload.ts';
import { READING_LIMIT_BYTES, type Reading } from '../../shared/core/reading.ts';
import { payloadDigest, readingId } from '../../shared/core/reading-id.ts';
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
  const payload = payloadOf(envelope);
  const samples = decodePayload(payload);
  let digest: string | undefined;
  const digestOnce = (): string => {
    digest ??= payloadDigest(payload);
    return digest;
  };
  return samples.map((sample) => toReading(sample, envelope, topic, digestOnce));
}

function toReading(
  { index, metrics, units, deviceMs, timePath, mid, seq }: Sample,
  envelope: Envelope,
  { thing, fleet, kind }: Topic,
  digest: () => string,
): Reading {
  const { messageId, receivedAtMs, principal, sourceIp, traceId } = envelope;
  const timed = deviceMs !== undefined || seq !== undefined;
  const identity = { thing, kind, index, messageId, timed };
  return {
    v: 1,
    id: readingId(mid === undefined ? identity : { ...identity, mid }, digest),
    thing,
    fleet,
    kind,
    transport: transportOf(envelope),
    principal,
    ...(sourceIp === undefined ? undefined : { sourceIp }),
    observedAtMs: observedAtMs(deviceMs, receivedAtMs, timePath),
    receivedAtMs,
    metrics,
    ...(units === undefined ? undefined : { units }),
    raw: { messageId, index },
    ...(traceId === undefined ? undefined : { traceId }),
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
