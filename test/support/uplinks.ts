import type { Envelope } from '../../shared/core/envelope.ts';
import type { Reading } from '../../shared/core/reading.ts';

/** 2026-09-21T13:46:40Z: the time at which test messages are received. */
export const RECEIVED_AT_MS = 1_790_000_000_000;

export const PRINCIPAL = '7f4b1c0e9a3d5f62b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5';

type Payload = Uint8Array | string | object;

export const bytesOf = (payload: Payload): Uint8Array => {
  if (payload instanceof Uint8Array) return payload;
  return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
};

/** What the telemetry rule makes of a payload: text and bytes as they are, objects as JSON. */
export const envelope = (payload: Payload, changes: Partial<Envelope> = {}): Envelope => ({
  v: 1,
  source: 'telemetry',
  data: Buffer.from(bytesOf(payload)).toString('base64'),
  topic: 'dt/acme/probe-1/telemetry',
  principal: PRINCIPAL,
  clientId: 'probe-1',
  sourceIp: '203.0.113.7',
  receivedAtMs: RECEIVED_AT_MS,
  traceId: '6f9c2f7a-6a3c-4bd0-9df2-3b0f7f6f7d21',
  messageId: '0f1ab6f4-30a3-4a7e-8a52-9d1d3cf0a7c1',
  ...changes,
});

/** A reading as `ingest` would put it, with an id that tells it from others. */
export const reading = (changes: Partial<Reading> = {}): Reading => ({
  v: 1,
  id: 'AAAAAAAAAAAAAAAAAAAAAA',
  thing: 'probe-1',
  fleet: 'acme',
  kind: 'telemetry',
  transport: 'mqtt',
  observedAtMs: RECEIVED_AT_MS - 1_000,
  receivedAtMs: RECEIVED_AT_MS,
  metrics: { temperature: 21.5 },
  raw: { messageId: 'm-1', index: 0 },
  ...changes,
});
