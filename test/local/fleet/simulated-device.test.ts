import { describe, expect, it } from '@jest/globals';
import type { Fault, Sample } from '../../../local/fleet/faults.ts';
import { seeded } from '../../../local/fleet/random.ts';
import { climateMessage, simulateDevice } from '../../../local/fleet/simulated-device.ts';

const NOW = Date.UTC(2026, 10, 22, 6);
const INTERVAL_MS = 2000;
const FROM_MS = NOW + 60 * INTERVAL_MS;
const UNTIL_MS = NOW + 90 * INTERVAL_MS;

/** What is sent of 120 readings, those of the fault apart from the others. */
function simulate(...faults: readonly { fault: Fault; metric?: string }[]) {
  const sampleAt = simulateDevice({
    faults: faults.map(({ fault, metric = 'temperature' }) => ({
      fault,
      metric,
      fromMs: FROM_MS,
      untilMs: UNTIL_MS,
    })),
    random: seeded(7),
    cloneLaterMs: INTERVAL_MS / 2,
    driftMs: 20_000,
  });
  const [well, ill]: [Sample[], Sample[]] = [[], []];
  for (let atMs = NOW; atMs < NOW + 120 * INTERVAL_MS; atMs += INTERVAL_MS) {
    const during = atMs >= FROM_MS && atMs < UNTIL_MS;
    (during ? ill : well).push(...sampleAt(atMs));
  }
  return { well, ill };
}

const values = (samples: readonly Sample[], metric: string): number[] =>
  samples.map(({ metrics }) => metrics[metric] ?? Number.NaN);

it('is a climate sensor that says the same for the same seed', () => {
  const { well } = simulate();
  expect(simulate().well).toEqual(well);
  for (const { metrics } of well) {
    expect(Object.keys(metrics)).toEqual(['temperature', 'humidity', 'battery']);
    expect(Math.abs((metrics['temperature'] ?? 0) - 24)).toBeLessThan(1);
  }
});

it('is well before a fault and after it', () => {
  const { well } = simulate({ fault: 'level-shift' });
  expect(Math.min(...values(well, 'temperature'))).toBeGreaterThan(23);
});

describe('a fault of a metric', () => {
  it.each<{ fault: Fault; shows: (values: number[]) => boolean }>([
    { fault: 'spike', shows: (list) => list.every((value) => value > 32) },
    { fault: 'level-shift', shows: (list) => list.every((value) => value < 20) },
    { fault: 'drift', shows: (list) => (list.at(-1) ?? 0) > (list[0] ?? 0) + 5 },
    { fault: 'stuck', shows: (list) => new Set(list).size === 1 },
    { fault: 'noise', shows: (list) => Math.max(...list) - Math.min(...list) > 4 },
    { fault: 'range', shows: (list) => list.every((value) => value < -273.15) },
    { fault: 'rate', shows: (list) => list.every((value) => value > 200) },
    { fault: 'unit', shows: (list) => list.every((value) => value > 74 && value < 77) },
    { fault: 'missing-metric', shows: (list) => list.every(Number.isNaN) },
  ])('$fault shows in it, and in no other', ({ fault, shows }) => {
    const { ill } = simulate({ fault });
    expect(shows(values(ill, 'temperature'))).toBe(true);
    for (const value of values(ill, 'humidity')) expect(Math.abs(value - 37)).toBeLessThan(1.5);
  });

  it('can be of another metric', () => {
    const { ill } = simulate({ fault: 'stuck', metric: 'humidity' });
    expect(new Set(values(ill, 'humidity')).size).toBe(1);
    expect(new Set(values(ill, 'temperature')).size).toBeGreaterThan(1);
  });
});

describe('a fault of the device', () => {
  it('silences it', () => {
    expect(simulate({ fault: 'silent' }).ill).toEqual([]);
  });

  it('sets its clock back by three hours', () => {
    const [first] = simulate({ fault: 'clock-jump' }).ill;
    expect(first?.atMs).toBe(FROM_MS - 3 * 3_600_000);
  });

  it('has another send too, half an interval later', () => {
    const [own, others] = simulate({ fault: 'clone' }).ill;
    expect(own).toMatchObject({ atMs: FROM_MS });
    expect(others).toMatchObject({
      atMs: FROM_MS + INTERVAL_MS / 2,
      elsewhere: { laterMs: INTERVAL_MS / 2 },
    });
  });
});

it('has several faults at once', () => {
  const [first] = simulate({ fault: 'clock-jump' }, { fault: 'unit' }).ill;
  expect(first?.atMs).toBeLessThan(NOW);
  expect(first?.metrics['temperature']).toBeGreaterThan(74);
});

it('writes its own time, a counter, and values with their units', () => {
  const sample = { atMs: NOW, metrics: { temperature: 21.5, battery: 3.7 } };
  expect(climateMessage(sample, 4)).toEqual({
    ts: NOW,
    seq: 4,
    temperature: { value: 21.5, unit: 'Cel' },
    battery: { value: 3.7, unit: 'V' },
  });
});
