import { isAfter } from './device-state.ts';
import type { Counters } from './signal.ts';

/** One record of `uplinks` whose thing is known, whether or not it could be read. */
export interface Seen {
  readonly thing: string;
  readonly fleet: string;
  readonly sequenceNumber: string;
  readonly receivedAtMs: number;
  readonly bytes: number;
  readonly malformed: boolean;
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
      ({ sequenceNumber, bytes, malformed }) =>
        `${sequenceNumber.slice(common)}:${bytes}:${malformed ? 1 : 0}`,
    )
    .join();

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
  const { from, to, marks } = counters;
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
  };
}
