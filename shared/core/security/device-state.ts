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

const FORMAT = '2';
const FIELDS = 9;

/**
 * As text that is short, since it is written whenever a device is heard of: fields between `|`, lists between `;`,
 * their parts between `,`, none of which is in a key, an id or a number. What says nothing is left out.
 */
export function encodeState(state: DeviceState): string {
  const { upTo, counted, latestMs, recent, connection } = state;
  let windows = '';
  for (const [key, { index, value, before }] of state.windows) {
    if (value !== 0 || before !== undefined) windows += `${key},${index},${value},${before ?? ''};`;
  }
  let progress = '';
  for (const [key, one] of state.progress) {
    if (isTelling(one)) progress += `${key},${packed(one)};`;
  }
  const connected =
    connection === undefined ? '' : `${connection.connected ? 1 : 0},${connection.atMs}`;
  return [
    FORMAT,
    upTo,
    counted.ingest,
    counted.decode,
    latestMs,
    recent.join(),
    connected,
    windows,
    progress,
  ].join('|');
}

/**
 * It is guard that wrote it, and nobody else may: so its version is looked at, and not each of its numbers.
 *
 * @throws {Error} when it is none that `encodeState` wrote
 */
export function decodeState(text: string): DeviceState {
  const fields = text.split('|');
  const [format, upTo = '', ingest = '', decode = '', latest, recent = '', connection = ''] =
    fields;
  if (format !== FORMAT || fields.length !== FIELDS) {
    throw new Error('the state of a device is of another version');
  }
  return {
    upTo,
    counted: { ingest, decode },
    latestMs: Number(latest),
    windows: listed(fields[7] ?? '', windowOf),
    progress: listed(fields[8] ?? '', unpacked),
    recent: recent === '' ? [] : recent.split(','),
    connection: connection === '' ? undefined : connectionOf(connection),
  };
}

function listed<Item>(
  text: string,
  read: (parts: readonly string[]) => Item,
): ReadonlyMap<string, Item> {
  const items = new Map<string, Item>();
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf(';', from);
    const parts = text.slice(from, end).split(',');
    items.set(parts[0] ?? '', read(parts));
    from = end + 1;
  }
  return items;
}

const windowOf = ([, index, value, before]: readonly string[]): Window => ({
  index: Number(index),
  value: Number(value),
  before: numberIn(before),
});

function connectionOf(text: string): Connection {
  const [connected, atMs] = text.split(',');
  return { connected: connected === '1', atMs: Number(atMs) };
}

const packed = ({ breaches, clears, alarm, early, learned }: Progress): string => {
  const known =
    learned === undefined
      ? ''
      : `,${learned.count},${rounded(learned.mean)},${rounded(learned.squares)}`;
  return `${breaches},${clears},${alarm ?? ''},${early ?? ''}${known}`;
};

function unpacked(parts: readonly string[]): Progress {
  const [, breaches, clears, alarm, early, count, mean, squares] = parts;
  return {
    breaches: Number(breaches),
    clears: Number(clears),
    alarm: alarm === '' ? undefined : alarm,
    early: numberIn(early),
    learned:
      count === undefined
        ? undefined
        : { count: Number(count), mean: Number(mean), squares: Number(squares) },
  };
}

const numberIn = (text: string | undefined): number | undefined =>
  text === undefined || text === '' ? undefined : Number(text);

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

const isTelling = ({ breaches, alarm, early, learned }: Progress): boolean =>
  breaches > 0 || alarm !== undefined || early !== undefined || learned !== undefined;
