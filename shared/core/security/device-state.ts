/** One duration of one metric under way; `before` is the one before it while late events may still change it. */
export interface Window {
  readonly index: number;
  readonly value: number;
  readonly before: number | undefined;
}

/** Datapoints learned from, their mean and the sum of squared deviations, of logarithms. */
export interface Learned {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
}

/** How far a behaviour has come towards an alarm or its end. */
export interface Progress {
  readonly breaches: number;
  readonly clears: number;
  /** Id of the alarm it is in. */
  readonly alarm: string | undefined;
  /** The window that was found in violation before its end. */
  readonly early: number | undefined;
  readonly learned: Learned | undefined;
}

export interface Connection {
  readonly connected: boolean;
  readonly atMs: number;
}

/** All that is kept of a device between batches: bounded by the profiles, whatever the device does. */
export interface DeviceState {
  /** Sequence number of the last signal that was taken; empty before the first. */
  readonly upTo: string;
  /** Sequence number on `uplinks` up to which each function's counters were taken. */
  readonly counted: Readonly<Record<'ingest' | 'decode', string>>;
  /** The newest time of an event: windows end by it, not by a clock. */
  readonly latestMs: number;
  readonly windows: ReadonlyMap<string, Window>;
  readonly progress: ReadonlyMap<string, Progress>;
  /** Lifecycle events taken lately, as they may come twice. */
  readonly recent: readonly string[];
  readonly connection: Connection | undefined;
}

export const NEW_DEVICE: DeviceState = {
  upTo: '',
  counted: { ingest: '', decode: '' },
  latestMs: 0,
  windows: new Map(),
  progress: new Map(),
  recent: [],
  connection: undefined,
};

export const NO_PROGRESS: Progress = {
  breaches: 0,
  clears: 0,
  alarm: undefined,
  early: undefined,
  learned: undefined,
};

type StoredWindow = [index: number, value: number, before: number | null];
type StoredProgress = [
  breaches: number,
  clears: number,
  alarm: string | null,
  early: number | null,
  learned: [count: number, mean: number, squares: number] | null,
];
type Stored = [
  version: 1,
  upTo: string,
  counted: [ingest: string, decode: string],
  latestMs: number,
  windows: Record<string, StoredWindow>,
  progress: Record<string, StoredProgress>,
  recent: string[],
  connection: [connected: 0 | 1, atMs: number] | null,
];

/** It is guard that wrote it, and nobody else may: so its version is looked at, and not each of its numbers. */
const isStored = (value: unknown): value is Stored =>
  Array.isArray(value) && value[0] === 1 && value.length === 8;

/** As text that is short, since it is written whenever a device is heard of; what says nothing is left out. */
export function encodeState(state: DeviceState): string {
  const { upTo, counted, latestMs, windows, progress, recent, connection } = state;
  const stored: Stored = [
    1,
    upTo,
    [counted.ingest, counted.decode],
    latestMs,
    Object.fromEntries(
      [...windows]
        .filter(([, { value, before }]) => value !== 0 || before !== undefined)
        .map(([key, { index, value, before }]) => [key, [index, value, before ?? null]]),
    ),
    Object.fromEntries(
      [...progress].filter(([, one]) => isTelling(one)).map(([key, one]) => [key, packed(one)]),
    ),
    [...recent],
    connection === undefined ? null : [connection.connected ? 1 : 0, connection.atMs],
  ];
  return JSON.stringify(stored);
}

/** @throws {Error} when it is none that `encodeState` wrote */
export function decodeState(text: string): DeviceState {
  const stored: unknown = JSON.parse(text);
  if (!isStored(stored)) throw new Error('the state of a device is of another version');
  const [, upTo, [ingest, decode], latestMs, windows, progress, recent, connection] = stored;
  return {
    upTo,
    counted: { ingest, decode },
    latestMs,
    windows: new Map(
      Object.entries(windows).map(([key, [index, value, before]]) => [
        key,
        { index, value, before: before ?? undefined },
      ]),
    ),
    progress: new Map(
      Object.entries(progress).map(([key, [breaches, clears, alarm, early, learned]]) => [
        key,
        {
          breaches,
          clears,
          alarm: alarm ?? undefined,
          early: early ?? undefined,
          learned:
            learned === null
              ? undefined
              : { count: learned[0], mean: learned[1], squares: learned[2] },
        },
      ]),
    ),
    recent,
    connection:
      connection === null ? undefined : { connected: connection[0] === 1, atMs: connection[1] },
  };
}

const packed = ({ breaches, clears, alarm, early, learned }: Progress): StoredProgress => [
  breaches,
  clears,
  alarm ?? null,
  early ?? null,
  learned === undefined ? null : [learned.count, rounded(learned.mean), rounded(learned.squares)],
];

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

const isTelling = ({ breaches, alarm, early, learned }: Progress): boolean =>
  breaches > 0 || alarm !== undefined || early !== undefined || learned !== undefined;

/** Sequence numbers are decimal and of different lengths; none is before all. */
export const isAfter = (sequence: string, other: string): boolean =>
  sequence.length === other.length ? sequence > other : sequence.length > other.length;
