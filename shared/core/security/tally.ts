import { isAfter } from '../sequence-number.ts';
import { type Counters, RADIO_COUNTS } from './signal.ts';

export type RadioCounts = Readonly<Record<(typeof RADIO_COUNTS)[number], number>>;

/** One record of `uplinks` whose thing is known, whether or not it could be read. */
export interface Seen {
  readonly thing: string;
  readonly fleet: string;
  readonly sequenceNumber: string;
  readonly receivedAtMs: number;
  readonly bytes: number;
  readonly malformed: boolean;
  /** Of a LoRaWAN frame. */
  readonly radio?: RadioCounts;
}

/** What a function saw of each thing, in the order of the stream, as signals. */
export function countersOf(
  functionName: Counters['function'],
  seen: readonly Seen[],
): readonly Counters[] {
  const byThing = new Map<string, Seen[]>();
  for (const one of seen) {
    const others = byThing.get(one.thing);
    if (others === undefined) byThing.set(one.thing, [one]);
    else others.push(one);
  }
  return [...byThing.values()].flatMap((ofThing) => countersOfThing(functionName, ofThing));
}

function countersOfThing(
  functionName: Counters['function'],
  seen: readonly Seen[],
): readonly Counters[] {
  const [first] = seen;
  const last = seen.at(-1);
  if (first === undefined || last === undefined) return [];
  const [from, to] = [first.sequenceNumber, last.sequenceNumber];
  const counters: Counters = {
    v: 1,
    source: 'counters',
    function: functionName,
    thing: first.thing,
    fleet: first.fleet,
    from,
    to,
    atMs: 0,
    messages: seen.length,
    bytes: 0,
    malformed: 0,
    largestBytes: 0,
  };
  const radios = seen.flatMap(({ radio }) => (radio === undefined ? [] : [radio]));
  if (radios.length > 0) counters.radio = sumOf(radios);
  for (const { receivedAtMs, bytes, malformed } of seen) {
    counters.atMs = Math.max(counters.atMs, receivedAtMs);
    counters.bytes += bytes;
    counters.malformed += malformed ? 1 : 0;
    counters.largestBytes = Math.max(counters.largestBytes, bytes);
  }
  if (seen.length > 1) counters.marks = marksOf(seen, inCommon(from, to));
  return [counters];
}

const marksOf = (seen: readonly Seen[], common: number): string =>
  seen
    .map(
      ({ sequenceNumber, bytes, malformed, radio }) =>
        `${sequenceNumber.slice(common)}:${bytes}:${malformed ? 1 : 0}${radioMark(radio)}`,
    )
    .join();

const radioMark = (radio: RadioCounts | undefined): string =>
  radio === undefined || RADIO_COUNTS.every((name) => radio[name] === 0)
    ? ''
    : `:${RADIO_COUNTS.map((name) => radio[name]).join('.')}`;

function sumOf(radios: readonly RadioCounts[]): RadioCounts {
  const sum = { joins: 0, gaps: 0, resets: 0, repeats: 0, micFailures: 0 };
  for (const radio of radios) for (const name of RADIO_COUNTS) sum[name] += radio[name];
  return sum;
}

/** Digits that two sequence numbers, and so all between them, begin with. */
function inCommon(one: string, other: string): number {
  if (one.length !== other.length) return 0;
  let digits = 0;
  while (digits < one.length && one[digits] === other[digits]) digits += 1;
  return digits;
}

/**
 * Of counters, what lies behind a record that was counted before: all of it, none, or the records behind.
 *
 * @param upTo  sequence number of the last record that was counted
 */
export function uncounted(counters: Counters, upTo: string): Counters | undefined {
  const { from, to, marks, radio } = counters;
  if (isAfter(from, upTo)) return counters;
  if (!isAfter(to, upTo) || marks === undefined) return undefined;
  const prefix = from.slice(0, inCommon(from, to));
  const behind = marks
    .split(',')
    .map((mark) => mark.split(':'))
    .filter(([suffix = '']) => isAfter(prefix + suffix, upTo));
  const sizes = behind.map(([, bytes]) => Number(bytes));
  return {
    ...counters,
    messages: behind.length,
    bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
    malformed: behind.filter(([, , malformed]) => malformed === '1').length,
    largestBytes: Math.max(0, ...sizes),
    ...(radio !== undefined && { radio: sumOf(behind.map(([, , , mark]) => markedRadio(mark))) }),
  };
}

function markedRadio(mark = ''): RadioCounts {
  const [joins = 0, gaps = 0, resets = 0, repeats = 0, micFailures = 0] = mark
    .split('.')
    .map(Number);
  return { joins, gaps, resets, repeats, micFailures };
}
