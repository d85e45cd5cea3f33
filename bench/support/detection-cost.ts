import { gaussian, seeded } from '../../local/fleet/random.ts';
import {
  type DeviceReading,
  newDevice,
  observeDevice,
} from '../../shared/core/detection/device.ts';
import {
  HEAD_BYTES,
  type PackedDevice,
  packDevice,
  unpackDevice,
} from '../../shared/core/detection/device-bytes.ts';
import { newMetric, observeAll } from '../../shared/core/detection/metric.ts';
import { DAY_MS, HOUR_MS } from '../../shared/core/detection/rhythm.ts';
import { RHYTHM_BYTES } from '../../shared/core/detection/rhythm-bytes.ts';
import { TRACK_BYTES } from '../../shared/core/detection/track-bytes.ts';
import { ewma, NO_EWMA, observeEwma } from './detection-contestants.ts';

/** µs of CPU an observation. */
export interface Speed {
  readonly detector: number;
  /** An EWMA z-score that is called in the same way, and one that is a bare loop. */
  readonly ewma: number;
  readonly bareEwma: number;
}

const BEGIN_MS = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;
const READINGS = 20_000;

/**
 * CPU an observation in turns with an EWMA over the same values: state and a batch of observations in, next state and a
 * verdict for each out. The least of all rounds, as what else runs on the machine only ever adds to it.
 */
export function measureSpeed(rounds: number): Speed {
  const random = seeded(1);
  const observations = Array.from({ length: READINGS }, (_, at) => ({
    atMs: BEGIN_MS + at * MINUTE_MS,
    value: 20 + 5 * Math.sin(at / 229) + gaussian(random),
  }));
  const batches = Array.from({ length: READINGS / BATCH }, (_, at) =>
    observations.slice(at * BATCH, (at + 1) * BATCH),
  );
  const least = { detector: Infinity, ewma: Infinity, bareEwma: Infinity };
  const time = (what: keyof Speed, work: () => unknown) => {
    least[what] = Math.min(least[what], cpuUs(work) / READINGS);
  };
  for (let round = 0; round < rounds; round += 1) {
    time('detector', () => watchAll(batches, newMetric(), observeAll));
    time('ewma', () => watchAll(batches, NO_EWMA, observeEwma));
    time('bareEwma', () => {
      const score = ewma.start();
      for (const { atMs, value } of observations) score(atMs, value);
    });
  }
  return least;
}

/** Batch after batch; the highest score is asked for, or a compiler would see that nobody wants verdicts. */
function watchAll<State>(
  batches: readonly (readonly Observation[])[],
  begin: State,
  watch: (state: State, batch: readonly Observation[]) => Watched<State>,
): number {
  let state = begin;
  let highest = 0;
  for (const batch of batches) {
    const outcome = watch(state, batch);
    state = outcome.state;
    for (const { score } of outcome.verdicts) highest = Math.max(highest, score);
  }
  return highest;
}

interface Watched<State> {
  readonly state: State;
  readonly verdicts: readonly { readonly score: number }[];
}

interface Observation {
  readonly atMs: number;
  readonly value: number;
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
const WARM_UP_BATCHES = 2;

/** CPU a value, with the state packed and unpacked once a batch, as a function does. */
export const measureCurve = (): readonly CurvePoint[] =>
  CURVE.map(({ devices, metrics }) => {
    const stores = Array.from({ length: devices }, emptyStore);
    const batches = Math.max(2, Math.ceil(CURVE_VALUES / devices / metrics / BATCH));
    let us = 0;
    for (let batch = 0; batch < WARM_UP_BATCHES + batches; batch += 1) {
      const arrived = stores.map((_, device) => batchOf(device, metrics, batch));
      const taken = cpuUs(() => takeBatch(stores, arrived));
      if (batch >= WARM_UP_BATCHES) us += taken;
    }
    const [{ packed } = emptyStore()] = stores;
    return {
      devices,
      metrics,
      usPerValue: us / (devices * metrics * BATCH * batches),
      hotBytesPerMetric: (packed.hot.length - HEAD_BYTES) / metrics,
      coldBytesPerMetric: RHYTHM_BYTES,
    };
  });

interface Stored {
  packed: PackedDevice;
  cold: Uint8Array | undefined;
}

const emptyStore = (): Stored => ({ packed: packDevice(newDevice()), cold: undefined });

const batchOf = (device: number, metrics: number, batch: number): readonly DeviceReading[] =>
  Array.from({ length: BATCH }, (_, at) => readingAt(batch * BATCH + at, metrics, device));

/** As a function takes what arrived: state read and unpacked, readings watched, state packed and stored. */
function takeBatch(
  stores: readonly Stored[],
  arrived: readonly (readonly DeviceReading[])[],
): void {
  stores.forEach((store, device) => {
    const state = unpackDevice({ ...store.packed, cold: store.cold }).state ?? newDevice();
    store.packed = packDevice(observeDevice(state, arrived[device] ?? []).state);
    store.cold = store.packed.cold ?? store.cold;
  });
}

function readingAt(
  at: number,
  metrics: number,
  device: number,
  everyMs: number = MINUTE_MS,
): DeviceReading {
  const atMs = BEGIN_MS + at * everyMs;
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
  /** Write units a device and batch, as counted over the last weeks; in the first day; and the most of any batch. */
  readonly perBatch: number;
  readonly firstDay: number;
  readonly most: number;
}

const METRICS = 8;
/** What their items hold beside the hot part (keys, progress, ids of readings) and the cold part (keys, names of metrics). */
const HOT_ITEM_BYTES = 190;
const COLD_ITEM_BYTES = 200;
const WRITE_UNIT_BYTES = 1024;

const FLEETS = [
  { fleet: 'each second', everyMs: 1000, days: 2 },
  { fleet: 'each minute', everyMs: MINUTE_MS, days: 6 },
  { fleet: 'each hour', everyMs: HOUR_MS, days: 56 },
];

const unitsOf = (bytes: number): number => Math.ceil(bytes / WRITE_UNIT_BYTES);

/** Write units of DynamoDB for a device of eight metrics that is watched for days, its batches gathered for so long. */
export const writeCosts = (batchMs: number): readonly WriteCost[] =>
  FLEETS.map(({ fleet, everyMs, days }) => {
    const readingsPerBatch = Math.max(1, batchMs / everyMs);
    const units = writesOf({ everyMs, days, readingsPerBatch });
    const perDay = DAY_MS / everyMs / readingsPerBatch;
    const steady = units.slice(Math.min(units.length / 2, 14 * perDay));
    const whole = HEAD_BYTES + METRICS * (TRACK_BYTES + RHYTHM_BYTES) + HOT_ITEM_BYTES;
    return {
      fleet,
      readingsPerBatch,
      packed: (1000 / readingsPerBatch) * mean(steady),
      naive: 1000 * unitsOf(whole),
      perBatch: mean(steady),
      firstDay: mean(units.slice(0, perDay)),
      most: Math.max(...steady),
    };
  });

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

interface Reporter {
  readonly everyMs: number;
  readonly days: number;
  readonly readingsPerBatch: number;
}

/** Units of each batch. */
function writesOf({ everyMs, days, readingsPerBatch }: Reporter): readonly number[] {
  const units: number[] = [];
  let state = newDevice();
  let at = 0;
  while (at * everyMs < days * DAY_MS) {
    const readings = Array.from({ length: readingsPerBatch }, () =>
      readingAt(at++, METRICS, 0, everyMs),
    );
    const outcome = observeDevice(state, readings);
    const { hot, cold } = packDevice(outcome.state);
    units.push(
      unitsOf(hot.length + HOT_ITEM_BYTES) +
        (cold === undefined ? 0 : unitsOf(cold.length + COLD_ITEM_BYTES)),
    );
    state = { ...outcome.state, coldDue: false };
  }
  return units;
}
