import * as z from 'zod';
import { Name } from '../names.ts';
import { deadlineShard } from './pulse.ts';

/*
 * The index of deadlines: when which devices are to be looked at without having been heard. A device is entered when its
 * rhythm is known, and from then on moved by the sweep that finds its deadline passed: either it is silent, or it has
 * spoken meanwhile and has a later one. So a reading costs no write here, and many devices share one entry.
 */

/** Devices of one shard and one time. */
export interface Look {
  readonly atMs: number;
  readonly shard: number;
  /** For timers of models, and not for silence. */
  readonly timers: boolean;
  readonly things: Readonly<Record<string, readonly string[]>>;
}

/** A device that is to be looked at. */
export interface LookAt {
  readonly atMs: number;
  readonly timers: boolean;
  readonly thing: string;
  readonly fleet: string;
}

/** Entries within these share an item. */
const SLOT_MS = 60_000;
/** Of 64 characters each, well below the 400 KB of an item. */
const THINGS_MAX = 2_000;

/** What an item of the index holds beside its key. */
export const LookBody = z.object({
  timers: z.boolean(),
  /** Things by fleet. */
  things: z.record(Name, z.array(Name)),
});

export const slotOf = (atMs: number): number => Math.ceil(atMs / SLOT_MS) * SLOT_MS;

/** Puts together what can be one item. */
export function packLooks(looks: readonly LookAt[]): readonly Look[] {
  const groups = Map.groupBy(
    looks,
    ({ atMs, timers, thing }) => `${slotOf(atMs)} ${timers} ${deadlineShard(thing)}`,
  );
  return [...groups.values()].flatMap((group) => {
    const packed: Look[] = [];
    for (let at = 0; at < group.length; at += THINGS_MAX) {
      const part = group.slice(at, at + THINGS_MAX);
      const [first] = part;
      if (first === undefined) continue;
      const byFleet = Map.groupBy(part, ({ fleet }) => fleet);
      packed.push({
        atMs: slotOf(first.atMs),
        shard: deadlineShard(first.thing),
        timers: first.timers,
        things: Object.fromEntries(
          [...byFleet].map(([fleet, list]) => [
            fleet,
            [...new Set(list.map(({ thing }) => thing))].toSorted(byText),
          ]),
        ),
      });
    }
    return packed;
  });
}

const byText = (one: string, other: string): number => (one < other ? -1 : 1);

export const unpackLook = ({ atMs, timers, things }: Look): readonly LookAt[] =>
  Object.entries(things).flatMap(([fleet, list]) =>
    list.map((thing) => ({ atMs, timers, thing, fleet })),
  );
