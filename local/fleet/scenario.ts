import { type Fault, faulty, type Sample, transmitted, usualReadings } from './faults.ts';
import { gaussian, seeded } from './random.ts';
import { healthyValues, rounded, type Sensor, swingOf } from './sensor.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const THERMOMETER: Sensor = {
  level: 21,
  daily: 3,
  weekly: 0.5,
  noise: 0.2,
  resolution: 0.01,
  unit: 'Cel',
};
const SENSORS: readonly Sensor[] = [
  THERMOMETER,
  { level: 1013, daily: 0.6, weekly: 0.2, noise: 0.15, resolution: 0.01, unit: 'hPa' },
  { level: 55, daily: 8, weekly: 2, noise: 1, resolution: 0.1, unit: '%' },
  { level: 3.7, daily: 0.02, weekly: 0, noise: 0.005, resolution: 0.001, unit: 'V' },
  { level: 420, daily: 150, weekly: 40, noise: 15, resolution: 1, unit: 'W' },
];

/** A reading as it is received. */
export interface SentReading {
  readonly observedAtMs: number;
  readonly receivedAtMs: number;
  readonly transport: string;
  readonly sourceIp: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly units: Readonly<Record<string, string>>;
}

/** What has to be configured of a metric for a fault to be one. */
export interface Limits {
  readonly range?: { readonly low: number };
  readonly maxRatePerSecond?: number;
}

/** Readings a device sends, and when which fault was in them. */
export interface Scenario {
  readonly readings: readonly SentReading[];
  readonly fault: Fault | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly options: Limits;
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
const CLONE_LATER_MS = 40_000;

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
  const sensor = SENSORS[seed % SENSORS.length] ?? THERMOMETER;
  const fromMs = BEGIN_MS + days * DAY_MS * (0.6 + 0.1 * random());
  const endMs = BEGIN_MS + days * DAY_MS;
  const untilMs =
    fault === undefined || fault === 'drift' ? endMs : fromMs + usualReadings(fault) * intervalMs;
  const healthyAt = healthyValues(sensor, random);
  const readings: SentReading[] = [];
  let kept = Number.NaN;
  for (let at = BEGIN_MS; at < endMs; at += intervalMs) {
    const atMs = Math.round(at + intervalMs * jitter * (random() - 0.5));
    const healthy = healthyAt(atMs);
    const other = 10 + gaussian(random);
    const on = fault !== undefined && atMs >= fromMs && atMs < untilMs;
    if (!on) kept = healthy;
    const moment = { sensor, healthy, kept, sinceMs: atMs - fromMs, driftMs: DAY_MS, random };
    const value = rounded(sensor, on ? faulty(fault, moment) : healthy);
    const made: Sample = { atMs, metrics: { value, other } };
    const sent = on ? transmitted(fault, 'value', made, CLONE_LATER_MS) : [made];
    for (const sample of sent) readings.push(received(sample, atMs, sensor));
  }
  return { readings, fault, fromMs, untilMs, options: limitsOf(fault, sensor, intervalMs) };
}

function limitsOf(fault: Fault | undefined, sensor: Sensor, intervalMs: number): Limits {
  if (fault === 'range') return { range: { low: -100 } };
  return fault === 'rate' ? { maxRatePerSecond: (20_000 * swingOf(sensor)) / intervalMs } : {};
}

const received = (
  { atMs, metrics, elsewhere }: Sample,
  madeAtMs: number,
  { unit }: Sensor,
): SentReading => ({
  observedAtMs: atMs,
  receivedAtMs: madeAtMs + 300 + (elsewhere?.laterMs ?? 0),
  transport: 'mqtt',
  sourceIp: elsewhere === undefined ? '203.0.113.7' : '198.51.100.23',
  metrics,
  units: { value: unit },
});
