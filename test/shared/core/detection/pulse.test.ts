import { expect, it } from '@jest/globals';
import { seeded } from '../../../../local/fleet/random.ts';
import {
  beat,
  DEADLINE_SHARDS,
  deadlineOf,
  deadlineShard,
  firstPulse,
  silenceLimitMs,
  silenceOf,
} from '../../../../shared/core/detection/pulse.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const beaten = (intervals: readonly number[]) => {
  let at = Date.UTC(2026, 0, 5);
  let pulse = firstPulse(at);
  for (const interval of intervals) {
    at += interval;
    pulse = beat(pulse, at);
  }
  return pulse;
};

const regular = beaten(new Array<number>(50).fill(5 * MINUTE_MS));

it('knows no silence before it knows a rhythm', () => {
  expect(silenceLimitMs(beaten([1000, 1000]))).toBeUndefined();
  expect(deadlineOf(firstPulse(0))).toBeUndefined();
});

it('calls a regular device silent after three of its intervals', () => {
  const { lastMs } = regular;
  expect(silenceOf(regular, lastMs + 14 * MINUTE_MS, [], undefined)).toBeUndefined();
  expect(silenceOf(regular, lastMs + 16 * MINUTE_MS, [], undefined)).toMatchObject({
    change: 'opens',
    anomaly: { kind: 'silent device', openedAtMs: lastMs },
  });
});

it('gives an irregular device the time it has needed before', () => {
  const random = seeded(1);
  const irregular = beaten(
    Array.from({ length: 300 }, () => (random() < 0.1 ? 3 * HOUR_MS : 10 * MINUTE_MS)),
  );
  expect(silenceOf(irregular, irregular.lastMs + 4 * HOUR_MS, [], undefined)).toBeUndefined();
  expect(silenceOf(irregular, irregular.lastMs + 48 * HOUR_MS, [], undefined)).toBeDefined();
});

it('does not count the time in which nothing could be ingested', () => {
  const { lastMs } = regular;
  const now = lastMs + 2 * HOUR_MS;
  const outages = [
    { fromMs: lastMs + MINUTE_MS, untilMs: lastMs + HOUR_MS },
    { fromMs: lastMs + 30 * MINUTE_MS, untilMs: now - 5 * MINUTE_MS },
  ];
  expect(silenceOf(regular, now, outages, undefined)).toBeUndefined();
  expect(silenceOf(regular, now, outages.slice(0, 1), undefined)).toBeDefined();
});

it('reports a silence once', () => {
  const now = regular.lastMs + HOUR_MS;
  const report = silenceOf(regular, now, [], undefined);
  expect(silenceOf(regular, now + HOUR_MS, [], report?.anomaly)).toBeUndefined();
});

it('writes its deadline seldom: a few times an hour for a device that sends each second', () => {
  let pulse = beaten(new Array<number>(50).fill(1000));
  const deadlines = new Set<number>();
  for (let second = 0; second < 3600; second += 1) {
    pulse = beat(pulse, pulse.lastMs + 1000);
    deadlines.add(deadlineOf(pulse) ?? 0);
  }
  expect(deadlines.size).toBeLessThanOrEqual(5);
});

it('never sets a deadline before the silence is too long', () => {
  expect((deadlineOf(regular) ?? 0) - regular.lastMs).toBeGreaterThanOrEqual(
    silenceLimitMs(regular) ?? 0,
  );
});

it('spreads devices over the shards', () => {
  const counts = new Array<number>(DEADLINE_SHARDS).fill(0);
  for (let device = 0; device < 16_000; device += 1) {
    const shard = deadlineShard(`sensor-${device}`);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  expect(Math.max(...counts)).toBeLessThan(1500);
});
