import type { MetricName } from './metrics.ts';
import type { Counters, Presence } from './signal.ts';

/** One value of one metric of a device, at a time that the cloud gave it. */
export interface Observation {
  readonly metric: MetricName;
  readonly atMs: number;
  readonly count?: number;
  readonly addresses?: readonly string[];
  readonly ports?: readonly number[];
}

/** What counters of a batch say; a count of nothing is left out, the time of the rest tells. */
export function countersObserved(counters: Counters): readonly Observation[] {
  const { atMs, messages, bytes, malformed, largestBytes, radio } = counters;
  const observed: Observation[] = [];
  const add = (metric: MetricName, count: number | undefined): void => {
    if (count !== undefined && count !== 0) observed.push({ metric, atMs, count });
  };
  add('aws:num-messages-sent', messages);
  add('tributary:num-bytes-received', bytes);
  add('aws:message-byte-size', largestBytes);
  add('tributary:num-malformed-payloads', malformed);
  if (radio === undefined) return observed;
  add('tributary:num-joins', radio.joins);
  add('tributary:num-frame-counter-gaps', radio.gaps);
  add('tributary:num-frame-counter-resets', radio.resets);
  add('tributary:num-repeated-frames', radio.repeats);
  add('tributary:num-mic-failures', radio.micFailures);
  return observed;
}

/** By the reason of a disconnect, in both spellings there are. */
const BY_REASON: Readonly<Record<string, MetricName>> = {
  DUPLICATE_CLIENTID: 'tributary:num-duplicate-client-ids',
  DUPLICATE_CLIENT_ID: 'tributary:num-duplicate-client-ids',
  AUTH_ERROR: 'tributary:num-forbidden-accesses',
  FORBIDDEN_ACCESS: 'tributary:num-forbidden-accesses',
  THROTTLED: 'tributary:num-throttled-disconnects',
};

const MINUTE_MS = 60_000;

/** @param awaySinceMs  when the device went, if it was away until now */
export function presenceObserved(
  event: Presence,
  awaySinceMs: number | undefined,
): readonly Observation[] {
  const { eventType, timestamp: atMs, ipAddress, disconnectReason = '' } = event;
  const one = (metric: MetricName): Observation => ({ metric, atMs, count: 1 });
  if (eventType === 'disconnected') {
    const metric = BY_REASON[disconnectReason];
    return [one('aws:num-disconnects'), ...(metric === undefined ? [] : [one(metric)])];
  }
  const attempt = one('aws:num-connection-attempts');
  if (eventType === 'connect_failed') return [attempt, one('aws:num-authorization-failures')];
  const awayMs = awaySinceMs === undefined ? 0 : atMs - awaySinceMs;
  return [
    attempt,
    ...(ipAddress === undefined
      ? []
      : [{ metric: 'aws:source-ip-address' as const, atMs, addresses: [ipAddress] }]),
    ...(awayMs > 0
      ? [
          {
            metric: 'aws:disconnect-duration' as const,
            atMs,
            count: Math.floor(awayMs / MINUTE_MS),
          },
        ]
      : []),
  ];
}
