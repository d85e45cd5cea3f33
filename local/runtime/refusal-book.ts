import type { GatewayEvent } from '../core/mqtt/refusal.ts';

type Refusal = Exclude<GatewayEvent, { readonly type: 'lifecycle' }>;

/** A refusal of the device gateway, or of an AWS call by the caller's role. */
export type Entry = {
  /** Counts refusals from 1; none is ever left out. */
  readonly number: number;
  readonly atMs: number;
} & (Refusal | RoleRefusal);

/** A role that lacks a grant. */
export interface RoleRefusal {
  readonly type: 'role-refusal';
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly explanation: string;
  readonly fix?: string;
}

export interface RefusalQuery {
  /** Only those behind this number. */
  readonly after?: number;
  /** At most so many, the newest. */
  readonly limit?: number;
  readonly principal?: string;
  readonly clientId?: string;
  readonly action?: string;
}

/** What was refused of late, for whoever wants to know why. */
export interface RefusalBook {
  add(refusal: Refusal | RoleRefusal): void;
  /** The oldest first. */
  read(query?: RefusalQuery): readonly Entry[];
}

const KEPT = 1000;

/** Keeps the newest thousand. */
export function createRefusalBook(now: () => number, kept = KEPT): RefusalBook {
  let entries: Entry[] = [];
  let count = 0;
  return {
    add(refusal) {
      count += 1;
      entries.push({ number: count, atMs: now(), ...refusal });
      if (entries.length > 2 * kept) entries = entries.slice(-kept);
    },
    read: ({ after = 0, limit = kept, ...wanted } = {}) =>
      entries
        .slice(-kept)
        .filter((entry) => entry.number > after && fits(entry, wanted))
        .slice(-limit),
  };
}

function fits(entry: Entry, wanted: Omit<RefusalQuery, 'after' | 'limit'>): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => value === undefined || Reflect.get(entry, name) === value,
  );
}
