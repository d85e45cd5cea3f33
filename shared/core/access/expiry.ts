import * as z from 'zod';

const DAY_MS = 86_400_000;

const Count = z.int().nonnegative();
export const EXPIRY_COUNTS = {
  certificates: Count,
  within30Days: Count,
  within7Days: Count,
  within1Day: Count,
  expired: Count,
};

/** How many certificates there are, and how many of them end within so many days; each counts in the wider ones too. */
export type ExpiryCounts = { readonly [Name in keyof typeof EXPIRY_COUNTS]: number };

export const NO_CERTIFICATES: ExpiryCounts = {
  certificates: 0,
  within30Days: 0,
  within7Days: 0,
  within1Day: 0,
  expired: 0,
};

/** Whole days until a certificate ends, negative behind its end. */
export const daysLeft = (notAfterMs: number, nowMs: number): number =>
  Math.floor((notAfterMs - nowMs) / DAY_MS);

export const isSoon = (notAfterMs: number, nowMs: number): boolean =>
  notAfterMs - nowMs <= 30 * DAY_MS;

/** The counts with one more certificate. */
export function counted(counts: ExpiryCounts, notAfterMs: number, nowMs: number): ExpiryCounts {
  const leftMs = notAfterMs - nowMs;
  const one = (yes: boolean): number => (yes ? 1 : 0);
  return {
    certificates: counts.certificates + 1,
    within30Days: counts.within30Days + one(leftMs <= 30 * DAY_MS),
    within7Days: counts.within7Days + one(leftMs <= 7 * DAY_MS),
    within1Day: counts.within1Day + one(leftMs <= DAY_MS),
    expired: counts.expired + one(leftMs <= 0),
  };
}
