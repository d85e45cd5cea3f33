import { gaussian } from './random.ts';
import { type Sensor, swingOf } from './sensor.ts';

/** What can go wrong with a sensor, or with the device that carries it. */
export const FAULTS = [
  'spike',
  'level-shift',
  'drift',
  'stuck',
  'noise',
  'range',
  'rate',
  'unit',
  'missing-metric',
  'silent',
  'clock-jump',
  'clone',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Faults of the whole device, not of one of its metrics. */
export const DEVICE_FAULTS: readonly Fault[] = ['silent', 'clock-jump', 'clone'];

/** One reading of a sensor that has a fault. */
export interface Moment {
  readonly sensor: Sensor;
  /** What it would say without the fault, and what it said last before it. */
  readonly healthy: number;
  readonly kept: number;
  /** Since the fault began. */
  readonly sinceMs: number;
  /** In so long a drift moves by half of the sensor's swing. */
  readonly driftMs: number;
  readonly random: () => number;
}

/** What the sensor says instead. */
export function faulty(fault: Fault, moment: Moment): number {
  const { sensor, healthy, kept, sinceMs, driftMs, random } = moment;
  const swing = swingOf(sensor);
  if (fault === 'spike') return healthy + 2 * swing;
  if (fault === 'level-shift') return healthy - 1.5 * swing;
  if (fault === 'drift') return healthy + (swing / 2) * (sinceMs / driftMs);
  if (fault === 'stuck') return kept;
  if (fault === 'noise') return healthy + 8 * sensor.noise * gaussian(random);
  if (fault === 'range') return -1e4;
  if (fault === 'rate') return healthy + 50 * swing;
  if (fault === 'unit') return sensor.unit === 'Cel' ? healthy * 1.8 + 32 : healthy * 1000;
  return healthy;
}

/** A fault that ends by itself does so after so many readings, so that it can be seen to come and to go. */
export function usualReadings(fault: Fault): number {
  if (fault === 'spike' || fault === 'rate' || fault === 'range') return 3;
  return fault === 'stuck' ? 200 : 100;
}

/** What a device puts into one message. */
export interface Sample {
  /** By the device's clock. */
  readonly atMs: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Sent by another that has the device's identity, so much later. */
  readonly elsewhere?: { readonly laterMs: number };
}

/** A clock that is set back: one that is ahead by more than minutes would be refused at the door. */
const CLOCK_JUMP_MS = -3 * 3_600_000;

/** What becomes of a sample on its way. */
export function transmitted(
  fault: Fault,
  metric: string,
  sample: Sample,
  cloneLaterMs: number,
): readonly Sample[] {
  if (fault === 'silent') return [];
  if (fault === 'missing-metric') return [{ ...sample, metrics: without(metric, sample.metrics) }];
  if (fault === 'clock-jump') return [{ ...sample, atMs: sample.atMs + CLOCK_JUMP_MS }];
  if (fault === 'clone') {
    const atMs = sample.atMs + cloneLaterMs;
    return [sample, { ...sample, atMs, elsewhere: { laterMs: cloneLaterMs } }];
  }
  return [sample];
}

const without = (metric: string, metrics: Sample['metrics']): Sample['metrics'] =>
  Object.fromEntries(Object.entries(metrics).filter(([name]) => name !== metric));
