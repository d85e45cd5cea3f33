import * as z from 'zod';
import { AnomalyData } from './anomaly-record.ts';
import { NO_CLOCK } from './clock.ts';
import { packCold, unpackCold } from './cold-bytes.ts';
import { NO_CONNECTIONS } from './connections.ts';
import { type DeviceState, METRICS_MAX } from './device.ts';
import { type MetricState, newMetric } from './metric.ts';
import { packTrack, TRACK_BYTES, unpackTrack } from './track-bytes.ts';

/**
 * A device's state in the parts that are written at different times: `hot` and `open` with each batch, `names` when a
 * metric is new, `cold` about once a day.
 *
 * Where there is a `cold`, it is to be stored before `hot`: then a crash between the two loses nothing and counts
 * nothing twice.
 */
export interface PackedDevice {
  /** Head of `HEAD_BYTES`, then `TRACK_BYTES` for each name. */
  readonly hot: Uint8Array;
  /** In the order in which they were first seen; new ones come last. */
  readonly names: readonly string[];
  /** To write: the rhythms of all metrics, or none while the stored ones still hold. To read: what is stored. */
  readonly cold: Uint8Array | undefined;
  /** JSON of what is rarely there: incidents, and whence the device speaks. */
  readonly open: string;
}

const VERSION = 1;
export const HEAD_BYTES = 58;

/** Brings bytes of an older version to the next one; nothing when they cannot be brought there. */
export type Migrations = ReadonlyMap<number, (hot: Uint8Array) => Uint8Array | undefined>;

/** Version 1 is the first. */
const MIGRATIONS: Migrations = new Map();

export function packDevice(state: DeviceState): PackedDevice {
  const names = [...state.metrics.keys()];
  const hot = new Uint8Array(HEAD_BYTES + TRACK_BYTES * names.length);
  const view = new DataView(hot.buffer);
  packHead(state, view);
  let at = HEAD_BYTES;
  for (const { track } of state.metrics.values()) {
    packTrack(track, view, at);
    at += TRACK_BYTES;
  }
  const cold = state.coldDue ? packCold(state.metrics, state.coldSerial) : undefined;
  return { hot, names, cold, open: packOpen(state) };
}

function packHead(state: DeviceState, view: DataView): void {
  const { pulse, clock, toldUnwatched, connections, coldSerial } = state;
  view.setUint8(0, VERSION);
  view.setUint8(1, (toldUnwatched ? 1 : 0) | (pulse === undefined ? 0 : 2));
  view.setUint8(2, Math.min(255, connections.changes));
  view.setUint8(3, clock.readings);
  view.setFloat64(4, pulse?.lastMs ?? 0, true);
  view.setFloat32(12, pulse?.log2Ms ?? 0, true);
  view.setFloat32(16, pulse?.log2Spread ?? 0, true);
  view.setFloat32(20, pulse?.longestMs ?? 0, true);
  view.setUint16(24, pulse?.intervals ?? 0, true);
  view.setUint16(26, clock.others, true);
  view.setFloat64(28, clock.offsetMs, true);
  view.setFloat32(36, clock.otherMs, true);
  view.setFloat64(40, connections.nowMs, true);
  view.setFloat64(48, connections.otherMs, true);
  view.setUint16(56, coldSerial, true);
}

const Open = z.object({
  now: z.string().default(''),
  other: z.string().default(''),
  device: z.array(AnomalyData).default([]),
  metrics: z.record(z.string(), z.array(AnomalyData)).default({}),
});

function packOpen({ connections, incidents, metrics }: DeviceState): string {
  const open = [...metrics]
    .filter(([, metric]) => metric.incidents.length > 0)
    .map(([name, metric]) => [name, metric.incidents] as const);
  return JSON.stringify({
    now: connections.now,
    other: connections.other,
    ...(incidents.length > 0 ? { device: incidents } : {}),
    ...(open.length > 0 ? { metrics: Object.fromEntries(open) } : {}),
  });
}

/**
 * Never fails: what cannot be read begins anew.
 *
 * @returns the state, and what was lost of it, for the log
 */
export function unpackDevice(
  packed: PackedDevice,
  migrations: Migrations = MIGRATIONS,
): { state: DeviceState | undefined; lost: readonly string[] } {
  const hot = migrated(packed.hot, migrations);
  if (hot === undefined) {
    return { state: undefined, lost: [`device: state of version ${packed.hot[0] ?? 'none'}`] };
  }
  const lost: string[] = [];
  const view = new DataView(hot.buffer, hot.byteOffset, hot.byteLength);
  const open = unpackOpen(packed.open, lost);
  const cold = unpackCold(packed.cold, view.getUint16(56, true), lost);
  const metrics = new Map<string, MetricState>();
  packed.names.slice(0, METRICS_MAX).forEach((name, at) => {
    const from = HEAD_BYTES + TRACK_BYTES * at;
    const track = from + TRACK_BYTES <= hot.length ? unpackTrack(view, from) : undefined;
    if (track === undefined) lost.push(`${name}: track`);
    const known = track === undefined ? newMetric() : cold.join(name, at, track);
    metrics.set(name, { ...known, incidents: open.metrics[name] ?? [] });
  });
  const coldParts = { coldSerial: cold.serial, coldDue: false };
  const head = unpackHead(view, open, lost);
  return { state: { ...head, ...coldParts, metrics, incidents: open.device }, lost };
}

function migrated(hot: Uint8Array, migrations: Migrations): Uint8Array | undefined {
  let bytes: Uint8Array | undefined = hot;
  for (let step = 0; step < VERSION && bytes !== undefined && bytes[0] !== VERSION; step += 1) {
    bytes = migrations.get(bytes[0] ?? -1)?.(bytes);
  }
  return bytes !== undefined && bytes[0] === VERSION && bytes.length >= HEAD_BYTES
    ? bytes
    : undefined;
}

function unpackOpen(text: string, lost: string[]): z.infer<typeof Open> {
  try {
    return Open.parse(JSON.parse(text));
  } catch {
    lost.push('device: open incidents');
    return Open.parse({});
  }
}

function unpackHead(
  view: DataView,
  { now, other }: z.infer<typeof Open>,
  lost: string[],
): Omit<DeviceState, 'metrics' | 'incidents' | 'coldSerial' | 'coldDue'> {
  const flags = view.getUint8(1);
  const pulse = {
    lastMs: view.getFloat64(4, true),
    log2Ms: view.getFloat32(12, true),
    log2Spread: view.getFloat32(16, true),
    longestMs: view.getFloat32(20, true),
    intervals: view.getUint16(24, true),
  };
  const clock = {
    readings: view.getUint8(3),
    others: view.getUint16(26, true),
    offsetMs: view.getFloat64(28, true),
    otherMs: view.getFloat32(36, true),
  };
  const connections = {
    now,
    other,
    changes: view.getUint8(2),
    nowMs: view.getFloat64(40, true),
    otherMs: view.getFloat64(48, true),
  };
  const told = { toldUnwatched: (flags & 1) !== 0 };
  if (![pulse, clock, connections].every(isFiniteAll)) {
    lost.push('device: head');
    return { ...told, pulse: undefined, clock: NO_CLOCK, connections: NO_CONNECTIONS };
  }
  return { ...told, pulse: (flags & 2) === 0 ? undefined : pulse, clock, connections };
}

const isFiniteAll = (part: object): boolean =>
  Object.values(part).every((value) => typeof value !== 'number' || Number.isFinite(value));
