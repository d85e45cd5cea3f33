import type { Anomaly, Finder } from './anomaly.ts';
import { withPoint } from './anomaly.ts';

interface Opening {
  readonly finder: Finder;
  readonly kind: Anomaly['kind'];
  readonly direction: Anomaly['direction'];
  readonly low?: number;
  readonly high?: number;
  readonly expected?: number;
  readonly basis?: Anomaly['basis'];
  readonly score?: number;
  readonly detail?: string | undefined;
  readonly level?: number;
  readonly spread?: number;
}

interface Reading {
  readonly atMs: number;
  readonly value: number;
  readonly unit?: string | undefined;
}

/** A new incident; edges that are infinite are none. */
export const open = ({ atMs, value, unit }: Reading, opening: Opening): Anomaly => ({
  finder: opening.finder,
  kind: opening.kind,
  version: 1,
  openedAtMs: atMs,
  lastAtMs: atMs,
  score: opening.score ?? 1,
  direction: opening.direction,
  observed: value,
  expected: opening.expected,
  low: finite(opening.low),
  high: finite(opening.high),
  unit,
  basis: opening.basis ?? 'limit',
  points: [{ atMs, value }],
  detail: opening.detail,
  readings: 1,
  calm: 0,
  level: opening.level ?? value,
  spread: opening.spread ?? 0,
});

const finite = (edge: number | undefined): number | undefined =>
  edge !== undefined && Number.isFinite(edge) ? edge : undefined;

/** The incident after another reading that shows it; the clearest value is kept as the observed one. */
export function onlyShown(before: Anomaly, { atMs, value }: Reading): Anomaly {
  const clearer =
    Math.abs(value - before.level) > Math.abs(before.observed - before.level) ||
    (before.direction === 'above' ? value > before.observed : value < before.observed);
  return {
    ...before,
    lastAtMs: atMs,
    readings: before.readings + 1,
    calm: 0,
    observed: clearer && before.direction !== 'none' ? value : before.observed,
    points: withPoint(before.points, { atMs, value }),
  };
}

/** The incident after a reading that does not show it. */
export const onlyCalm = (before: Anomaly): Anomaly => ({ ...before, calm: before.calm + 1 });

export const close = (before: Anomaly, atMs: number): Anomaly => ({
  ...before,
  version: before.version + 1,
  closedAtMs: atMs,
});
