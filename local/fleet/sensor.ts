import { gaussian } from './random.ts';

const DAY_MS = 86_400_000;

/** A sensor as it should be: level, daily and weekly rhythm, noise, a resolution. */
export interface Sensor {
  readonly level: number;
  readonly daily: number;
  readonly weekly: number;
  readonly noise: number;
  /** Noise of a sensor that averages over its interval: bounded, and without memory. Otherwise it is normal, and remembers. */
  readonly averages?: boolean;
  readonly resolution: number;
  readonly unit: string;
}

/** How far a healthy sensor moves about its level: what faults are measured by. */
export const swingOf = ({ daily, weekly, noise }: Sensor): number =>
  Math.abs(daily) + Math.abs(weekly) + 4 * noise;

const MEMORY = 0.7;

/** What the sensor would say, reading by reading, before it is rounded. */
export function healthyValues(sensor: Sensor, random: () => number): (atMs: number) => number {
  const { level, daily, weekly, noise, averages = false } = sensor;
  let memory = 0;
  return (atMs) => {
    memory = averages
      ? 2 * noise * (random() - 0.5)
      : MEMORY * memory + noise * 0.7 * gaussian(random);
    const ofDay = daily * Math.sin((2 * Math.PI * atMs) / DAY_MS);
    const ofWeek = weekly * Math.sin((2 * Math.PI * atMs) / (7 * DAY_MS));
    return level + ofDay + ofWeek + memory;
  };
}

/** As the sensor's resolution allows. */
export const rounded = ({ resolution }: Sensor, value: number): number =>
  Number((Math.round(value / resolution) * resolution).toPrecision(12));
