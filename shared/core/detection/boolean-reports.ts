import type { Report } from './anomaly.ts';
import type { BooleanEvidence } from './boolean.ts';
import { close, open } from './incident.ts';
import { HOUR_MS } from './rhythm.ts';
import { incidentOf, NO_REPORTS, type Numeric, settle, type Work } from './work.ts';

/** What is told of a state: that it lasts for too long, or changes too often. */
export function askState(
  work: Work,
  evidence: BooleanEvidence,
  reading: Numeric,
): readonly Report[] {
  if (evidence.finding === undefined && work.incidents.length === 0) return NO_REPORTS;
  return [
    ...askFinding(work, evidence, reading, 'held'),
    ...askFinding(work, evidence, reading, 'flapping'),
  ];
}

const FINDINGS = {
  held: { finder: 'stuck', kind: 'stuck value' },
  flapping: { finder: 'value', kind: 'noise change' },
} as const;

function askFinding(
  work: Work,
  { finding, score, observed, high }: BooleanEvidence,
  reading: Numeric,
  asked: keyof typeof FINDINGS,
): readonly Report[] {
  const { finder, kind } = FINDINGS[asked];
  const before = incidentOf(work, finder);
  if (before === undefined) {
    if (finding !== asked) return [];
    const opened = open(
      { atMs: reading.atMs, value: observed },
      {
        finder,
        kind,
        direction: 'above',
        basis: 'recent readings',
        high,
        score,
        level: reading.value,
      },
    );
    return settle(work, finder, { anomaly: opened, report: { change: 'opens', anomaly: opened } });
  }
  const goesOn =
    asked === 'held' ? reading.value === before.level : reading.atMs - before.lastAtMs < HOUR_MS;
  if (goesOn) {
    return finding === asked
      ? settle(work, finder, {
          anomaly: {
            ...before,
            lastAtMs: reading.atMs,
            observed: Math.max(observed, before.observed),
            readings: before.readings + 1,
          },
          report: undefined,
        })
      : [];
  }
  const closed: Report = { change: 'closes', anomaly: close(before, reading.atMs) };
  return settle(work, finder, { anomaly: undefined, report: closed });
}
