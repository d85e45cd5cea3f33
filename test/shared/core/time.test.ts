import { describe, expect, it } from '@jest/globals';
import { deviceTimeMs, observedAtMs } from '../../../shared/core/time.ts';

const NOW = 1_790_000_000_000;
const MINUTE = 60_000;
const DAY = 86_400_000;

describe("a device's time", () => {
  it.each([
    { sent: 1_790_000_000_123, ms: 1_790_000_000_123 },
    { sent: 1_790_000_000, ms: 1_790_000_000_000 },
    { sent: 1_790_000_000.123, ms: 1_790_000_000_123 },
    { sent: 0, ms: 0 },
    { sent: 99_999_999_999, ms: 99_999_999_999_000 },
    { sent: 100_000_000_000, ms: 100_000_000_000 },
    { sent: '2026-09-21T13:33:20Z', ms: 1_789_997_600_000 },
    { sent: '2026-09-21T13:33Z', ms: 1_789_997_580_000 },
    { sent: '2026-09-21T15:33:20.5+02:00', ms: 1_789_997_600_500 },
    { sent: '2026-09-21T15:33:20,123456789+0200', ms: 1_789_997_600_123 },
    { sent: '2016-12-31T23:59:60Z', ms: Date.UTC(2017, 0, 1) },
    { sent: '2026-03-29T02:30:00+01:00', ms: Date.UTC(2026, 2, 29, 1, 30) },
  ])('$sent is $ms', ({ sent, ms }) => {
    expect(deviceTimeMs(sent, 'ts')).toBe(ms);
  });

  it.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '1790000000',
    '2026-09-21',
    '2026-09-21T13:33:20',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-09-21T24:00:00Z',
    '2026-09-21T13:60:00Z',
    '2026-09-21T13:33:61Z',
    '2026-09-21T13:33:20+24:00',
    '21.09.2026 13:33',
    true,
    {},
  ])('%j is refused under its path', (sent) => {
    expect(() => deviceTimeMs(sent, '[2].ts')).toThrow(
      'MALFORMED_PAYLOAD: [2].ts: wants seconds or',
    );
  });
});

describe('the time of observation', () => {
  it('is that of receipt when the device sent none', () => {
    expect(observedAtMs(undefined, NOW, 'ts')).toBe(NOW);
  });

  it.each([
    { device: NOW - 7 * DAY, observed: NOW - 7 * DAY },
    { device: NOW - 1, observed: NOW - 1 },
    { device: NOW, observed: NOW },
    { device: NOW + 1, observed: NOW },
    { device: NOW + 5 * MINUTE, observed: NOW },
  ])('is $observed for a device at $device', ({ device, observed }) => {
    expect(observedAtMs(device, NOW, 'ts')).toBe(observed);
  });

  it.each([
    NOW - 7 * DAY - 1,
    NOW + 5 * MINUTE + 1,
    NOW - 365 * DAY,
    NOW + 365 * DAY,
    0,
    -1e300,
    2 ** 53,
  ])('is refused for a device at %d, with the bounds', (device) => {
    expect(() => observedAtMs(device, NOW, 'timestamp')).toThrow(
      /^CLOCK_OUT_OF_RANGE: timestamp: \S+( ms)? is not within 2026-09-14T\S+ and 2026-09-21T\S+ /,
    );
  });
});
