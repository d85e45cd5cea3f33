import * as z from 'zod';

/**
 * How far a thing is refused, whatever it presents: with `quarantine` it may connect, subscribe and receive, but not
 * publish; with `cut-off`, nothing. `none` is a denial that is being taken back.
 */
export const DENIAL_RUNGS = ['none', 'quarantine', 'cut-off'] as const;
export type DenialRung = (typeof DENIAL_RUNGS)[number];

/** An incident that holds a thing. */
const Holder = z.object({
  incidentId: z.string(),
  rung: z.enum(['quarantine', 'cut-off']),
  cause: z.string(),
  /** `defend`, or the person who did it by hand. */
  by: z.string(),
  atMs: z.number(),
});
export type Holder = z.infer<typeof Holder>;

/** Who holds a thing, how far it is refused because of them, and what it takes to undo it. */
export const Denial = z.object({
  v: z.literal(1),
  thing: z.string(),
  /** The highest rung of the holders. */
  rung: z.enum(DENIAL_RUNGS),
  /** The incident to name to whoever asks why: the first holder of that rung. */
  incidentId: z.string(),
  holders: z.array(Holder),
  /** Certificates that were touched, and of these, whether they were ACTIVE before. */
  certificates: z.array(z.object({ id: z.string(), active: z.boolean() })),
  version: z.int(),
});
export type Denial = z.infer<typeof Denial>;

/** @param before  none when nobody holds the thing */
export function held(thing: string, before: Denial | undefined, holder: Holder): Denial {
  const others = (before?.holders ?? []).filter((one) => one.incidentId !== holder.incidentId);
  return withHolders(before ?? fresh(thing, holder), [...others, holder]);
}

/** The same denial without one incident; `none` when that was the last. */
export const letGo = (before: Denial, incidentId: string): Denial =>
  withHolders(
    before,
    before.holders.filter((one) => one.incidentId !== incidentId),
  );

/** The denial with certificates it did not know; what is known of the others stays, as it was found before any act. */
export function withCertificates(
  denial: Denial,
  found: readonly { readonly id: string; readonly active: boolean }[],
): Denial {
  const known = new Set(denial.certificates.map(({ id }) => id));
  const others = found.filter(({ id }) => !known.has(id));
  return { ...denial, certificates: [...denial.certificates, ...others] };
}

const fresh = (thing: string, { incidentId }: Holder): Denial => ({
  v: 1,
  thing,
  rung: 'none',
  incidentId,
  holders: [],
  certificates: [],
  version: 0,
});

function withHolders(denial: Denial, holders: readonly Holder[]): Denial {
  const [first] = holders.toSorted(
    (one, other) => DENIAL_RUNGS.indexOf(other.rung) - DENIAL_RUNGS.indexOf(one.rung),
  );
  return {
    ...denial,
    holders: [...holders],
    rung: first?.rung ?? 'none',
    incidentId: first?.incidentId ?? denial.incidentId,
    version: denial.version + 1,
  };
}
