import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gaussian, seeded } from '../../../../local/fleet/random.ts';
import { scenario } from '../../../../local/fleet/scenario.ts';
import {
  type DeviceReading,
  type DeviceState,
  METRICS_MAX,
  newDevice,
  observeDevice,
} from '../../../../shared/core/detection/device.ts';
import {
  HEAD_BYTES,
  type Migrations,
  packDevice,
  unpackDevice,
} from '../../../../shared/core/detection/device-bytes.ts';
import { TRACK_BYTES } from '../../../../shared/core/detection/track-bytes.ts';

const BEGIN_MS = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;

const reading = (at: number, metrics: DeviceReading['metrics'], extra = {}): DeviceReading => ({
  observedAtMs: BEGIN_MS + at * MINUTE_MS,
  receivedAtMs: BEGIN_MS + at * MINUTE_MS + 200,
  transport: 'mqtt',
  sourceIp: '192.0.2.1',
  metrics,
  ...extra,
});

const learned = (count = 100): DeviceState =>
  observeDevice(
    newDevice(),
    Array.from({ length: count }, (_, at) =>
      reading(at, { t: 20 + (at % 7) / 10, h: 50 + (at % 3) }),
    ),
  ).state;

it('does the same whatever the order of a batch', () => {
  const { readings } = scenario({ seed: 3, fault: 'spike', days: 4 });
  fc.assert(
    fc.property(fc.shuffledSubarray([...readings], { minLength: readings.length }), (shuffled) => {
      expect(observeDevice(newDevice(), shuffled).state).toEqual(
        observeDevice(newDevice(), readings).state,
      );
    }),
    { numRuns: 5 },
  );
});

/** All that was learned, wherever it waits to be written. */
const learnedBy = ({ metrics }: DeviceState) =>
  [...metrics].map(([name, { track, rhythm }]) => [name, { ...track, pending: 0 }, rhythm]);

it('does the same for one batch and for many, with its state kept in bytes between them', () => {
  const { readings } = scenario({ seed: 2, fault: 'level-shift', days: 4 });
  let state = newDevice();
  let cold: Uint8Array | undefined;
  for (let at = 0; at < readings.length; at += 37) {
    const outcome = observeDevice(state, readings.slice(at, at + 37));
    const packed = packDevice(outcome.state);
    cold = packed.cold ?? cold;
    const kept = unpackDevice({ ...packed, cold });
    expect(kept.lost).toEqual([]);
    expect(kept.state).toEqual({ ...outcome.state, coldDue: false });
    state = kept.state ?? newDevice();
  }
  const whole = observeDevice(newDevice(), readings).state;
  expect(learnedBy(state)).toEqual(learnedBy(whole));
});

it('watches 256 metrics and names once that there are more, with the state bounded', () => {
  let state = newDevice();
  const named: (readonly string[])[] = [];
  for (let batch = 0; batch < 40; batch += 1) {
    const metrics = Object.fromEntries(
      Array.from({ length: 250 }, (_, at) => [`m${(batch * 250 + at) % 10_000}`, at]),
    );
    const outcome = observeDevice(state, [reading(batch, metrics)]);
    state = outcome.state;
    named.push(outcome.unwatched);
  }
  expect(state.metrics.size).toBe(METRICS_MAX);
  expect(named.filter((names) => names.length > 0)).toHaveLength(1);
  expect(packDevice(state).hot.length).toBe(HEAD_BYTES + TRACK_BYTES * METRICS_MAX);
});

it('leaves texts and what is configured as unwatched alone', () => {
  const { state } = observeDevice(
    newDevice(),
    [reading(0, { door: 'open', a: 1, b: 2 })],
    (metric) => (metric === 'b' ? { kind: 'unwatched' } : {}),
  );
  expect([...state.metrics.keys()]).toEqual(['a']);
});

it('tells when a metric is missing and when it is there again', () => {
  const without = Array.from({ length: 30 }, (_, at) =>
    reading(100 + at, { t: 20 + (at % 7) / 10 }),
  );
  const gone = observeDevice(learned(), without);
  expect(gone.reports).toMatchObject([
    { change: 'opens', metric: 'h', anomaly: { kind: 'missing metric' } },
  ]);
  const back = observeDevice(gone.state, [reading(131, { t: 20, h: 51 })]);
  expect(back.reports).toMatchObject([{ change: 'closes', metric: 'h' }]);
});

it('finds a device on two connections at once, not one that moves', () => {
  const at = (address: string, minute: number) =>
    reading(100 + minute, { t: 20 }, { sourceIp: address });
  const moved = observeDevice(learned(), [
    at('192.0.2.9', 0),
    at('192.0.2.9', 1),
    at('192.0.2.9', 2),
  ]);
  expect(moved.reports).toEqual([]);
  const both = observeDevice(
    learned(),
    [0, 1, 2, 3, 4, 5].map((minute) => at(minute % 2 === 0 ? '192.0.2.9' : '192.0.2.1', minute)),
  );
  expect(both.reports).toMatchObject([
    { change: 'opens', metric: undefined, anomaly: { kind: 'two connections' } },
  ]);
});

it('takes a backlog for a backlog, and a clock that was set for a clock jump', () => {
  const buffered = Array.from({ length: 20 }, (_, at) => ({
    ...reading(100 + at, { t: 20 + (at % 7) / 10 }),
    receivedAtMs: BEGIN_MS + 300 * MINUTE_MS,
  }));
  expect(observeDevice(learned(), buffered).reports).toEqual([]);
  const ahead = Array.from({ length: 20 }, (_, at) => ({
    ...reading(100 + at, { t: 20 + (at % 7) / 10 }),
    observedAtMs: BEGIN_MS + (700 + at) * MINUTE_MS,
  }));
  expect(observeDevice(learned(), ahead).reports.map(({ anomaly }) => anomaly.kind)).toContain(
    'clock jump',
  );
});

/** Two weeks of a daily rhythm, then a pause of five hours whose readings come in batches after newer ones. */
function reportsOfBacklog(seed: number): number {
  const random = seeded(seed);
  const at = (index: number, receivedAt = index): DeviceReading => ({
    ...reading(5 * index, {
      t: 20 + 5 * Math.sin((2 * Math.PI * index) / 288) + 0.2 * gaussian(random),
    }),
    receivedAtMs: BEGIN_MS + 5 * receivedAt * MINUTE_MS,
  });
  const readings = (from: number, count: number, receivedAt?: number) =>
    Array.from({ length: count }, (_, index) => at(from + index, receivedAt));
  let { state } = observeDevice(newDevice(), readings(0, 4000));
  const backlog = [0, 10, 20, 30, 40, 50].map((part) => readings(4000 + part, 10, 4061.5));
  const batches = [readings(4060, 2), ...backlog, ...readings(4062, 60).map((one) => [one])];
  return batches.reduce((sum, batch) => {
    const outcome = observeDevice(state, batch);
    state = outcome.state;
    return sum + outcome.reports.filter(({ change }) => change === 'opens').length;
  }, 0);
}

it('takes a backlog that comes after newer readings for what it is, in nine of ten devices', () => {
  const reports = Array.from({ length: 10 }, (_, seed) => reportsOfBacklog(seed));
  expect(reports.filter((count) => count > 0).length).toBeLessThanOrEqual(1);
});

describe('state in bytes', () => {
  const packed = () => packDevice(learned());

  it('is 96 bytes a metric, and a head', () => {
    expect(packed().hot.length).toBe(HEAD_BYTES + 2 * TRACK_BYTES);
    expect(8 * TRACK_BYTES + HEAD_BYTES + 190).toBeLessThanOrEqual(1024);
  });

  it('begins anew, and says so, where it is of an unknown version', () => {
    const hot = packed().hot.slice();
    hot[0] = 77;
    expect(unpackDevice({ ...packed(), hot })).toEqual({
      state: undefined,
      lost: ['device: state of version 77'],
    });
  });

  it('is brought from an older version to the present one', () => {
    const hot = packed().hot.slice();
    hot[0] = 0;
    const migrations: Migrations = new Map([
      [
        0,
        (bytes) => {
          const next = bytes.slice();
          next[0] = 1;
          return next;
        },
      ],
    ]);
    const { state, lost } = unpackDevice({ ...packed(), hot }, migrations);
    expect(lost).toEqual([]);
    expect(state?.metrics.size).toBe(2);
  });

  it('begins anew with the metric whose bytes are damaged, and leaves the others as they were', () => {
    const { state: three } = observeDevice(learned(), [reading(100, { t: 20, h: 50, p: 1013 })]);
    const whole = packDevice(three);
    const hot = whole.hot.slice();
    hot.fill(0xff, HEAD_BYTES + TRACK_BYTES, HEAD_BYTES + 2 * TRACK_BYTES);
    const { state, lost } = unpackDevice({ ...whole, hot });
    expect(lost).toEqual(['h: track']);
    expect([...(state?.metrics.values() ?? [])].map(({ track }) => track.readings)).toEqual([
      101, 0, 1,
    ]);
  });

  it('never fails, whatever the bytes', () => {
    const any = fc.record({
      hot: fc.uint8Array({ maxLength: 400 }).map((bytes) => Uint8Array.from([1, ...bytes])),
      names: fc.array(fc.string(), { maxLength: 4 }),
      open: fc.string(),
      cold: fc.option(
        fc.uint8Array({ maxLength: 600 }).map((bytes) => Uint8Array.from([1, ...bytes])),
        { nil: undefined },
      ),
    });
    fc.assert(
      fc.property(any, (bytes) => {
        const { state = newDevice() } = unpackDevice(bytes);
        const outcome = observeDevice(state, [reading(500, { t: 1 })]);
        expect(outcome.score).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });
});
