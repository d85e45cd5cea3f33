import type { Anomaly, Finder, Report } from './anomaly.ts';
import type { Outcome } from './limits.ts';
import type { Rhythm } from './rhythm.ts';
import type { Track } from './track.ts';

/** A metric's state while observations are taken into it: a copy of what was given, changed in place. */
export interface Work {
  track: Track;
  rhythm: Rhythm | undefined;
  incidents: readonly Anomaly[];
}

export const NO_REPORTS: readonly Report[] = [];

export const incidentOf = ({ incidents }: Work, finder: Finder): Anomaly | undefined =>
  incidents.find((incident) => incident.finder === finder);

/** Keeps what became of an incident, and passes on what is to be told. */
export function settle(
  work: Work,
  finder: Finder,
  { anomaly, report }: Outcome,
): readonly Report[] {
  const others = work.incidents.filter((incident) => incident.finder !== finder);
  if (anomaly !== undefined) work.incidents = [...others, anomaly];
  else if (others.length !== work.incidents.length) work.incidents = others;
  return report === undefined ? [] : [report];
}

/** An observation of a number: what is asked of it when there is something to ask. */
export interface Numeric {
  readonly atMs: number;
  readonly value: number;
  readonly unit?: string | undefined;
}
