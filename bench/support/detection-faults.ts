import type { AnomalyKind } from '../../shared/core/detection/anomaly.ts';
import type { DeviceReading } from '../../shared/core/detection/device.ts';
import type { MetricOptions } from '../../shared/core/detection/options.ts';

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normally distributed, mean 0, variance 1 (Box and Muller). */
export const gaussian = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A sensor as it should be: level, daily and weekly rhythm, noise that remembers a little, a resolution. */
export interface Sensor {
  readonly level: number;
  readonly daily: number;
  readonly weekly: number;
  readonly noise: number;
  readonly resolution: number;
  readonly unit: string;
}

const SENSORS: readonly Sensor[] = [
  { level: 21, daily: 3, weekly: 0.5, noise: 0.2, resolution: 0.01, unit: 'Cel' },
  { level: 1013, daily: 0.6, weekly: 0.2, noise: 0.15, resolution: 0.01, unit: 'hPa' },
  { level: 55, daily: 8, weekly: 2, noise: 1, resolution: 0.1, unit: '%' },
  { level: 3.7, daily: 0.02, weekly: 0, noise: 0.005, resolution: 0.001, unit: 'V' },
  { level: 420, daily: 150, weekly: 40, noise: 15, resolution: 1, unit: 'W' },
];

export const FAULTS = [
  'spike',
  'level-shift',
  'drift',
  'stuck',
  'noise',
  'range',
  'rate',
  'unit',
  'missing',
  'silent',
  'clock',
  'clone',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Kinds by which a fault may be called; the first is the best. */
export const KINDS_OF: Readonly<Record<Fault, readonly AnomalyKind[]>> = {
  spike: ['spike'],
  'level-shift': ['level shift', 'spike'],
  drift: ['drift', 'level shift', 'spike'],
  stuck: ['stuck value'],
  noise: ['noise change', 'spike', 'level shift'],
  range: ['out of range'],
  rate: ['rate of change'],
  unit: ['unit change'],
  missing: ['missing metric'],
  silent: ['silent device'],
  clock: ['clock jump'],
  clone: ['two connections'],
};

/** Readings a device sends, and when which fault was in them. */
export interface Scenario {
  readonly readings: readonly DeviceReading[];
  readonly fault: Fault | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
  /** What has to be configured for the fault to be one. */
  readonly options: MetricOptions;
}

export interface ScenarioOptions {
  readonly seed: number;
  readonly fault?: Fault | undefined;
  readonly days?: number;
  readonly intervalMs?: number;
  /** Share of the interval by which a reading may be early or late. */
  readonly jitter?: number;
}

/** Monday. */
const BEGIN_MS = Date.UTC(2026, 0, 5);

/**
 * A device with one metric `value` (and `other`, which stays healthy) that is as it should be for two thirds of the
 * time and has one fault then.
 */
export function scenario({
  seed,
  fault,
  days = 21,
  intervalMs = 5 * MINUTE_MS,
  jitter = 0.2,
}: ScenarioOptions): Scenario {
  const random = seeded(seed);
  const sensor = SENSORS[seed % SENSORS.length] ?? (SENSORS[0] as Sensor);
  const fromMs = BEGIN_MS + days * DAY_MS * (0.6 + 0.1 * random());
  const untilMs = fault === 'drift' ? BEGIN_MS + days * DAY_MS : fromMs + lasts(fault) * intervalMs;
  const readings: DeviceReading[] = [];
  let memory = 0;
  let kept = Number.NaN;
  for (let at = BEGIN_MS; at < BEGIN_MS + days * DAY_MS; at += intervalMs) {
    const atMs = Math.round(at + intervalMs * jitter * (random() - 0.5));
    memory = 0.7 * memory + sensor.noise * 0.7 * gaussian(random);
    const other = 10 + gaussian(random);
    const healthy = expectedOf(sensor, atMs) + memory;
    const on = fault !== undefined && atMs >= fromMs && atMs < untilMs;
    if (!on) kept = healthy;
    const value = on ? faulty(fault, { sensor, healthy, kept, atMs, fromMs, random }) : healthy;
    const rounded = Math.round(value / sensor.resolution) * sensor.resolution;
    const made = reading(atMs, Number(rounded.toPrecision(12)), other, sensor);
    for (const sent of on ? transmitted(fault, made) : [made]) readings.push(sent);
  }
  return { readings, fault, fromMs, untilMs, options: optionsOf(fault, sensor, intervalMs) };
}

function optionsOf(fault: Fault | undefined, sensor: Sensor, intervalMs: number): MetricOptions {
  if (fault === 'range') return { range: { low: -100 } };
  return fault === 'rate' ? { maxRatePerSecond: (20_000 * swingOf(sensor)) / intervalMs } : {};
}

const swingOf = ({ daily, weekly, noise }: Sensor): number => daily + weekly + 4 * noise;

function lasts(fault: Fault | undefined): number {
  if (fault === 'spike' || fault === 'rate' || fault === 'range') return 3;
  return fault === 'stuck' ? 200 : 100;
}

const expectedOf = ({ level, daily, weekly }: Sensor, atMs: number): number =>
  level +
  daily * Math.sin((2 * Math.PI * atMs) / DAY_MS) +
  weekly * Math.sin((2 * Math.PI * atMs) / (7 * DAY_MS));

interface Moment {
  readonly sensor: Sensor;
  readonly healthy: number;
  readonly kept: number;
  readonly atMs: number;
  readonly fromMs: number;
  readonly random: () => number;
}

function faulty(fault: Fault, { sensor, healthy, kept, atMs, fromMs, random }: Moment): number {
  const swing = swingOf(sensor);
  if (fault === 'spike') return healthy + 2 * swing;
  if (fault === 'level-shift') return healthy - 1.5 * swing;
  if (fault === 'drift') return healthy + (swing / 2) * ((atMs - fromMs) / DAY_MS);
  if (fault === 'stuck') return kept;
  if (fault === 'noise') return healthy + 8 * sensor.noise * gaussian(random);
  if (fault === 'range') return -1e4;
  if (fault === 'rate') return healthy + 50 * swing;
  if (fault === 'unit') return sensor.unit === 'Cel' ? healthy * 1.8 + 32 : healthy * 1000;
  return healthy;
}

const reading = (atMs: number, value: number, other: number, { unit }: Sensor): DeviceReading => ({
  observedAtMs: atMs,
  receivedAtMs: atMs + 300,
  transport: 'mqtt',
  sourceIp: '203.0.113.7',
  metrics: { value, other },
  units: { value: unit },
});

const HOUR_MS = 3_600_000;

/** What becomes of a reading on its way. */
function transmitted(fault: Fault, made: DeviceReading): readonly DeviceReading[] {
  if (fault === 'silent') return [];
  if (fault === 'missing') return [{ ...made, metrics: { other: made.metrics['other'] ?? 0 } }];
  if (fault === 'clock') return [{ ...made, observedAtMs: made.observedAtMs + 3 * HOUR_MS }];
  if (fault === 'clone') {
    const elsewhere = { sourceIp: '198.51.100.23', receivedAtMs: made.receivedAtMs + 40_000 };
    return [made, { ...made, ...elsewhere, observedAtMs: made.observedAtMs + 40_000 }];
  }
  return [made];
}
