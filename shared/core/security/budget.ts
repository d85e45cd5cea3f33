import * as z from 'zod';

/** Containments and refusals of an account, lately; one item, so that one conditional write decides for all. */
export const BudgetState = z.object({
  version: z.int(),
  /** Containments that were granted, and to whom. */
  grants: z.array(z.object({ thing: z.string(), fleet: z.string(), atMs: z.number() })),
  /** Who else was to be contained: what the breaker looks at. */
  wanted: z.array(z.object({ thing: z.string(), fleet: z.string(), atMs: z.number() })),
  /** No containment by itself until then; a person may end it before. */
  tripped: z.object({ atMs: z.number(), untilMs: z.number(), scope: z.string() }).optional(),
});
export type BudgetState = z.infer<typeof BudgetState>;

export const FRESH_BUDGET: BudgetState = { version: 0, grants: [], wanted: [] };

export interface BudgetLimits {
  /** Containments within the window. */
  readonly account: number;
  readonly fleet: number;
  readonly windowMs: number;
  /** Things hit within the breaker's window from which on the cause is taken to be shared. */
  readonly breakerThings: number;
  readonly breakerMs: number;
  /** How long it stays open. */
  readonly restMs: number;
}

export const BUDGET_LIMITS: BudgetLimits = {
  account: 25,
  fleet: 15,
  windowMs: 300_000,
  breakerThings: 20,
  breakerMs: 60_000,
  restMs: 3_600_000,
};

export type Verdict =
  | { readonly granted: true; readonly next: BudgetState | undefined }
  | {
      readonly granted: false;
      readonly why: 'budget' | 'breaker';
      readonly next: BudgetState | undefined;
      /** Whether this request is the one that opened the breaker, so that one person is asked once. */
      readonly trips: boolean;
    };

/**
 * Whether one more thing may be contained without asking anybody. The answer holds once `next` is written under the
 * condition that the version is still this one; where there is no `next`, nothing changes. Who was granted before,
 * within the window, is granted again for nothing: so a repetition costs no budget.
 */
export function requestContainment(
  state: BudgetState,
  { thing, fleet }: { readonly thing: string; readonly fleet: string },
  nowMs: number,
  limits: BudgetLimits,
): Verdict {
  const since = (ms: number) => (one: { readonly atMs: number }) => one.atMs > nowMs - ms;
  const grants = state.grants.filter(since(limits.windowMs));
  if (grants.some((one) => one.thing === thing)) return { granted: true, next: undefined };
  if (state.tripped !== undefined && nowMs < state.tripped.untilMs) {
    return { granted: false, why: 'breaker', next: undefined, trips: false };
  }
  const others = state.wanted.filter(since(limits.breakerMs)).filter((one) => one.thing !== thing);
  const wanted = [...others, { thing, fleet, atMs: nowMs }];
  const version = state.version + 1;
  if (wanted.length >= limits.breakerThings) {
    const fleets = new Set(wanted.map((one) => one.fleet));
    const scope = fleets.size === 1 ? `fleet ${fleet}` : `${fleets.size} fleets`;
    const tripped = { atMs: nowMs, untilMs: nowMs + limits.restMs, scope };
    const next = { version, grants, wanted: [], tripped };
    return { granted: false, why: 'breaker', next, trips: true };
  }
  const ofFleet = grants.filter((one) => one.fleet === fleet);
  if (grants.length >= limits.account || ofFleet.length >= limits.fleet) {
    const known = others.length < state.wanted.length;
    const next = known ? undefined : { version, grants, wanted };
    return { granted: false, why: 'budget', next, trips: false };
  }
  const granted = [...grants, { thing, fleet, atMs: nowMs }];
  return { granted: true, next: { version, grants: granted, wanted } };
}

/** A person has looked, and containment goes on. */
export const resetBreaker = ({ version, grants }: BudgetState): BudgetState => ({
  version: version + 1,
  grants,
  wanted: [],
});

/** Hours of the day (UTC) in which only what is critical is told at once. */
export interface QuietHours {
  readonly fromHour: number;
  readonly toHour: number;
}

/** @returns whether that time is within; from 22 to 6 goes over midnight, from 0 to 0 is never */
export function isQuiet({ fromHour, toHour }: QuietHours, nowMs: number): boolean {
  const hour = new Date(nowMs).getUTCHours();
  return fromHour <= toHour ? hour >= fromHour && hour < toHour : hour >= fromHour || hour < toHour;
}
