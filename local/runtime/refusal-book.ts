import type { GatewayEvent } from '../core/mqtt/refusal.ts';

type Refusal = Exclude<GatewayEvent, { readonly type: 'lifecycle' }>;

/** A refusal of the device gateway, or of an AWS call by the caller's role. */
export type Entry = {
  /** Counts refusals from 1; none is ever left out. */
  readonly number: number;
  readonly atMs: number;
  /** What else somebody knows of it. */
  readonly remark?: string;
} & (Refusal | RoleRefusal);

/** Knows more of a refusal than the gateway does: why a certificate is INACTIVE, for one. */
export type Remark = (refusal: Refusal | RoleRefusal) => Promise<string | undefined>;

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

/** Keeps the newest thousand. A remark is added when it is there. */
export function createRefusalBook(
  now: () => number,
  { kept = KEPT, remark }: { readonly kept?: number; readonly remark?: Remark | undefined } = {},
): RefusalBook {
  let entries: Entry[] = [];
  let count = 0;
  const annotate = async (number: number, refusal: Refusal | RoleRefusal): Promise<void> => {
    const text = await remark?.(refusal).catch(() => undefined);
    if (text === undefined) return;
    entries = entries.map((entry) =>
      entry.number === number ? { ...entry, remark: text } : entry,
    );
  };
  return {
    add(refusal) {
      count += 1;
      entries.push({ number: count, atMs: now(), ...refusal });
      if (entries.length > 2 * kept) entries = entries.slice(-kept);
      void annotate(count, refusal);
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
