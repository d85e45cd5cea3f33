/** Both ends belong to the range. */
type Range = readonly [from: number, to: number];

/** Gaps that a window remembers; with one uplink in twenty lost, they reach a thousand uplinks back. */
const RANGES_LIMIT = 64;

/**
 * Which frames of a session have been taken: everything up to `floor`, and the ranges above it, in order and apart.
 * Up to `forgotten`, frames that are in no reading count as taken too, as their gaps were given up.
 */
export interface ReplayWindow {
  readonly floor: number;
  readonly forgotten: number;
  readonly ranges: readonly Range[];
}

export const EMPTY_WINDOW: ReplayWindow = { floor: -1, forgotten: -1, ranges: [] };

/** `new`: not taken yet. `seen`: taken. `forgotten`: so old that nobody can tell. */
export type Verdict = 'new' | 'seen' | 'forgotten';

export function verdictOn({ floor, forgotten, ranges }: ReplayWindow, frame: number): Verdict {
  if (frame <= forgotten) return 'forgotten';
  if (frame <= floor) return 'seen';
  return ranges.some(([from, to]) => from <= frame && frame <= to) ? 'seen' : 'new';
}

/** The last frame taken; -1 when there is none. */
export const topOf = ({ floor, ranges }: ReplayWindow): number => ranges.at(-1)?.[1] ?? floor;

export const take = (window: ReplayWindow, frame: number): ReplayWindow =>
  merge(window, { ...EMPTY_WINDOW, ranges: [[frame, frame]] });

/** What both windows have taken, in whatever order; two copies that went apart are one again. */
export function merge(one: ReplayWindow, other: ReplayWindow): ReplayWindow {
  const forgotten = Math.max(one.forgotten, other.forgotten);
  const floor = Math.max(one.floor, other.floor);
  const sorted = [...one.ranges, ...other.ranges].sort(([from], [next]) => from - next);
  return bounded(joined({ floor, forgotten, ranges: sorted }));
}

function joined({ floor: start, forgotten, ranges: sorted }: ReplayWindow): ReplayWindow {
  let floor = start;
  const ranges: Range[] = [];
  for (const [from, to] of sorted) {
    const last = ranges.at(-1);
    if (from <= floor + 1) floor = Math.max(floor, to);
    else if (last !== undefined && from <= last[1] + 1) {
      ranges[ranges.length - 1] = [last[0], Math.max(last[1], to)];
    } else ranges.push([from, to]);
  }
  return { floor, forgotten, ranges };
}

/** Gives up the oldest gaps until there is room. */
function bounded({ floor, forgotten, ranges }: ReplayWindow): ReplayWindow {
  const surplus = Math.max(0, ranges.length - RANGES_LIMIT);
  const last = ranges[surplus - 1];
  if (last === undefined) return { floor, forgotten, ranges };
  const [from, to] = last;
  return { floor: to, forgotten: Math.max(forgotten, from - 1), ranges: ranges.slice(surplus) };
}
