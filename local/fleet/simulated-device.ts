import { DEVICE_FAULTS, type Fault, faulty, type Sample, transmitted } from './faults.ts';
import { healthyValues, rounded, type Sensor } from './sensor.ts';

const climate = (sensor: Omit<Sensor, 'weekly' | 'averages'>): Sensor => ({
  weekly: 0,
  averages: true,
  ...sensor,
});

/** What a small climate sensor measures. */
export const CLIMATE = {
  temperature: climate({ level: 21, daily: 3, noise: 0.4, resolution: 0.01, unit: 'Cel' }),
  humidity: climate({ level: 45, daily: -8, noise: 1, resolution: 0.1, unit: '%RH' }),
  battery: climate({ level: 3.7, daily: 0.02, noise: 0.01, resolution: 0.001, unit: 'V' }),
} as const;

export const isClimateMetric = (metric: string): metric is keyof typeof CLIMATE =>
  Object.hasOwn(CLIMATE, metric);

/** A fault that a device is to have for a while. */
export interface PlannedFault {
  readonly fault: Fault;
  /** Of the metric, or of any for faults of the whole device. */
  readonly metric: string;
  /** Milliseconds since the Unix epoch. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface SimulationOptions {
  readonly faults: readonly PlannedFault[];
  readonly random: () => number;
  /** How much later than a reading of the device its clone sends one. */
  readonly cloneLaterMs: number;
  /** In so long a drift moves by half of the sensor's swing. */
  readonly driftMs: number;
}

/**
 * A climate sensor with the faults it is to have.
 *
 * @returns what is sent of the reading at a time; readings are asked for one after the other
 */
export function simulateDevice({
  faults,
  random,
  cloneLaterMs,
  driftMs,
}: SimulationOptions): (atMs: number) => readonly Sample[] {
  const sensors = Object.entries(CLIMATE).map(([metric, sensor]) => {
    const healthyAt = healthyValues(sensor, random);
    const own = faults.filter(({ fault, metric: of }) => of === metric && isOfValue(fault));
    let kept = sensor.level;
    const valueAt = (atMs: number): number => {
      const healthy = healthyAt(atMs);
      const on = own.find((planned) => isOn(planned, atMs));
      if (on === undefined) {
        kept = healthy;
        return rounded(sensor, healthy);
      }
      const moment = { sensor, healthy, kept, sinceMs: atMs - on.fromMs, driftMs, random };
      return rounded(sensor, faulty(on.fault, moment));
    };
    return { metric, valueAt };
  });
  return (atMs) => {
    const metrics = Object.fromEntries(
      sensors.map(({ metric, valueAt }) => [metric, valueAt(atMs)]),
    );
    return faults
      .filter((planned) => isOn(planned, atMs))
      .reduce<readonly Sample[]>(
        (samples, { fault, metric }) =>
          samples.flatMap((sample) => transmitted(fault, metric, sample, cloneLaterMs)),
        [{ atMs, metrics }],
      );
  };
}

const isOfValue = (fault: Fault): boolean => !DEVICE_FAULTS.includes(fault);

const isOn = ({ fromMs, untilMs }: PlannedFault, atMs: number): boolean =>
  atMs >= fromMs && atMs < untilMs;

/** @returns the sample as a device writes it: its own time `ts` (ms), a counter `seq`, values with their units */
export const climateMessage = ({ atMs, metrics }: Sample, sequence: number) => ({
  ts: atMs,
  seq: sequence,
  ...Object.fromEntries(
    Object.entries(metrics).map(([metric, value]) => [
      metric,
      { value, unit: UNITS.get(metric) ?? '' },
    ]),
  ),
});

const UNITS = new Map(Object.entries(CLIMATE).map(([metric, { unit }]) => [metric, unit]));
