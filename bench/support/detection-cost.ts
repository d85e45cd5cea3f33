import { gaussian, seeded } from '../../local/fleet/random.ts';
import {
  type DeviceReading,
  type DeviceState,
  newDevice,
  observeDevice,
} from '../../shared/core/detection/device.ts';
import { packDevice, unpackDevice } from '../../shared/core/detection/device-bytes.ts';
import { newMetric, observeAll } from '../../shared/core/detection/metric.ts';
import { ewma } from './detection-contestants.ts';
import { median } from './rounds.ts';

export interface Speed {
  readonly detectorUs: number;
  readonly ewmaUs: number;
  readonly ratio: number;
}

const BEGIN_MS = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;
const READINGS = 20_000;

/** CPU an observation, in turns with a plain EWMA over the same values. */
export function measureSpeed(rounds: number): Speed {
  const random = seeded(1);
  const observations = Array.from({ length: READINGS }, (_, at) => ({
    atMs: BEGIN_MS + at * MINUTE_MS,
    value: 20 + 5 * Math.sin(at / 229) + gaussian(random),
  }));
  const taken = { detector: [] as number[], ewma: [] as number[] };
  for (let round = -3; round < rounds; round += 1) {
    const detector = cpuUs(() => observeAll(newMetric(), observations));
    const plain = cpuUs(() => {
      const score = ewma.start();
      for (const { atMs, value } of observations) score(atMs, value);
    });
    if (round < 0) continue;
    taken.detector.push(detector / READINGS);
    taken.ewma.push(plain / READINGS);
  }
  const detectorUs = median(taken.detector);
  const ewmaUs = median(taken.ewma);
  return { detectorUs, ewmaUs, ratio: detectorUs / ewmaUs };
}

function cpuUs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

export interface CurvePoint {
  readonly devices: number;
  readonly metrics: number;
  readonly usPerValue: number;
  readonly hotBytesPerMetric: number;
  readonly coldBytesPerMetric: number;
}

const CURVE = [
  { devices: 1, metrics: 1 },
  { devices: 1, metrics: 8 },
  { devices: 1, metrics: 64 },
  { devices: 1, metrics: 256 },
  { devices: 10, metrics: 8 },
  { devices: 100, metrics: 8 },
  { devices: 1000, metrics: 8 },
];
const CURVE_VALUES = 100_000;
const BATCH = 20;

/** CPU a value, with the state packed and unpacked once a batch, as a function does. */
export const measureCurve = (): readonly CurvePoint[] =>
  CURVE.map(({ devices, metrics }) => {
    const states = Array.from({ length: devices }, newDevice);
    const batches = Math.max(2, Math.ceil(CURVE_VALUES / devices / metrics / BATCH));
    for (let batch = 0; batch < 2; batch += 1) runBatch(states, metrics, batch);
    const us = cpuUs(() => {
      for (let batch = 2; batch < 2 + batches; batch += 1) runBatch(states, metrics, batch);
    });
    const packed = packDevice(states[0] ?? newDevice());
    const cold = [...packed.rhythms.values()].reduce((sum, { length }) => sum + length, 0);
    return {
      devices,
      metrics,
      usPerValue: us / (devices * metrics * BATCH * batches),
      hotBytesPerMetric: packed.hot.length / metrics,
      coldBytesPerMetric: cold / metrics,
    };
  });

function runBatch(states: DeviceState[], metrics: number, batch: number): void {
  states.forEach((state, device) => {
    const readings = Array.from({ length: BATCH }, (_, at) =>
      readingAt(batch * BATCH + at, metrics, device),
    );
    const packed = packDevice(observeDevice(state, readings).state);
    states[device] = unpackDevice(packed).state ?? newDevice();
  });
}

function readingAt(at: number, metrics: number, device: number): DeviceReading {
  const atMs = BEGIN_MS + at * MINUTE_MS;
  const values: Record<string, number> = {};
  for (let metric = 0; metric < metrics; metric += 1) {
    values[`m${metric}`] = 20 + metric + ((at * 7919 + device) % 101) / 50;
  }
  return { observedAtMs: atMs, receivedAtMs: atMs, transport: 'mqtt', metrics: values };
}

export interface WriteCost {
  readonly fleet: string;
  readonly readingsPerBatch: number;
  /** Write units for 1000 readings. */
  readonly packed: number;
  /** The same if the whole state were written with each reading. */
  readonly naive: number;
  /** Write units a device and batch. */
  readonly perBatch: number;
}

const METRICS = 8;
/** Key, sequence number and a window of reading ids beside the packed state. */
const ITEM_BYTES = 180;
const WRITE_UNIT_BYTES = 1024;
const HOUR_SECONDS = 3600;

const FLEETS = [
  { fleet: 'each second', seconds: 1 },
  { fleet: 'each minute', seconds: 60 },
  { fleet: 'each hour', seconds: 3600 },
];

/** Write units of DynamoDB for devices of eight metrics; batches are gathered for so many seconds. */
export function writeCosts(batchSeconds: number): readonly WriteCost[] {
  let state = newDevice();
  for (let at = 0; at < 3 * 1440; at += 1)
    state = observeDevice(state, [readingAt(at, METRICS, 0)]).state;
  const { hot, rhythms } = packDevice(state);
  const cold = [...rhythms.values()].reduce((sum, { length }) => sum + length, 0);
  const hotUnits = Math.ceil((hot.length + ITEM_BYTES) / WRITE_UNIT_BYTES);
  const coldUnits = Math.ceil(cold / WRITE_UNIT_BYTES);
  return FLEETS.map(({ fleet, seconds }) => {
    const readingsPerBatch = Math.max(1, batchSeconds / seconds);
    const batchesPerHour = HOUR_SECONDS / Math.max(seconds, batchSeconds);
    const perBatch = hotUnits + coldUnits / Math.max(1, batchesPerHour);
    const naiveUnits = Math.ceil((hot.length + cold + ITEM_BYTES) / WRITE_UNIT_BYTES);
    return {
      fleet,
      readingsPerBatch,
      packed: (1000 / readingsPerBatch) * perBatch,
      naive: 1000 * naiveUnits,
      perBatch,
    };
  });
}
