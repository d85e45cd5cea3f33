import { reject } from './errors.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** How far a device's clock is believed, from the time of receipt. */
const TRUST = { behindMs: 7 * DAY_MS, aheadMs: 5 * MINUTE_MS } as const;

/** Below it a number is seconds (until the year 5138), from it on milliseconds (since 1973). */
const SECONDS_BELOW = 1e11;

const ISO_8601 =
  /^(\d{4}-(?:0[1-9]|1[0-2])-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d|60)(?:[.,](\d{1,9}))?)?(?:Z|([+-](?:[01]\d|2[0-3])):?([0-5]\d))$/;

/**
 * A device's own time as it sends it: milliseconds or seconds since the Unix epoch, or ISO 8601 with a zone.
 * A leap second counts as the first second of the next minute.
 *
 * @returns milliseconds since the Unix epoch, whole, not yet held against any bound
 * @throws {RejectedError} `MALFORMED_PAYLOAD` when it is neither
 */
export function deviceTimeMs(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) {
    return Math.round(Math.abs(value) < SECONDS_BELOW ? value * 1000 : value);
  }
  const ms = typeof value === 'string' ? isoTimeMs(value) : undefined;
  if (ms !== undefined) return ms;
  return reject(
    'MALFORMED_PAYLOAD',
    path,
    'wants seconds or milliseconds since 1970, or ISO 8601 with a zone',
  );
}

function isoTimeMs(text: string): number | undefined {
  const match = ISO_8601.exec(text);
  if (match === null) return undefined;
  const [, date = '', minute, second = '0', fraction = '0', zoneHour = '+00', zoneMinute = '00'] =
    match;
  if (!isDay(date)) return undefined;
  const minuteMs = Date.parse(`${date}T${minute}:00${zoneHour}:${zoneMinute}`);
  return minuteMs + Number(second) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3));
}

/** `Date.parse` takes 31 days for every month and moves on to the next. */
function isDay(date: string): boolean {
  const parsed = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
}

/** Whether a clock that is not the cloud's is near enough to the time of receipt to be believed. */
export const isTrustedTime = (ms: number, receivedAtMs: number): boolean =>
  ms >= receivedAtMs - TRUST.behindMs && ms <= receivedAtMs + TRUST.aheadMs;

/**
 * When a reading was observed: the device's clock where it can be trusted (ahead by a little counts as now),
 * else, without one, the time of receipt.
 *
 * @throws {RejectedError} `CLOCK_OUT_OF_RANGE` with the time and its bounds, more than 7 days behind or 5 minutes ahead
 */
export function observedAtMs(
  deviceMs: number | undefined,
  receivedAtMs: number,
  path: string,
): number {
  if (deviceMs === undefined) return receivedAtMs;
  const from = receivedAtMs - TRUST.behindMs;
  const to = receivedAtMs + TRUST.aheadMs;
  if (deviceMs < from || deviceMs > to) {
    reject(
      'CLOCK_OUT_OF_RANGE',
      path,
      `${showTime(deviceMs)} is not within ${showTime(from)} and ${showTime(to)} (7 days behind to 5 minutes ahead of receipt)`,
    );
  }
  return Math.max(0, Math.min(deviceMs, receivedAtMs));
}

const showTime = (ms: number): string =>
  Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
