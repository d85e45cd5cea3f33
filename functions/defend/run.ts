import type { TimeLeft } from '../../shared/adapters/retry.ts';
import type { Containment } from '../../shared/adapters/security/containment.ts';
import type { IncidentTable } from '../../shared/adapters/security/incident-table.ts';
import type { StormTable } from '../../shared/adapters/security/storm-table.ts';
import type { Topic } from '../../shared/adapters/topic.ts';
import type { BudgetLimits, QuietHours } from '../../shared/core/security/budget.ts';
import type { Ladder, Mode } from '../../shared/core/security/containment.ts';
import type { Incident } from '../../shared/core/security/incident.ts';
import type { BatchDeps } from '../../shared/lambda/batch.ts';
import type { Place } from '../../shared/lambda/place.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface DefendDeps extends BatchDeps {
  readonly incidents: IncidentTable;
  readonly storms: StormTable;
  readonly containment: Containment;
  readonly notifications: Topic;
  /** A machine-readable copy of what people are told. */
  readonly announce: (incident: Incident, timeLeft: TimeLeft) => Promise<void>;
  readonly findingsTopic: string;
  readonly notificationsTopic: string;
  readonly quarantinePolicy: string;
  readonly mode: Mode;
  readonly ladder: Ladder;
  readonly spared: ReadonlySet<string>;
  /** Behaviours that open no incident. */
  readonly suppressed: ReadonlySet<string>;
  readonly quietHours: QuietHours;
  readonly limits: BudgetLimits;
  readonly alertsLimit: number;
  readonly uuid: () => string;
  /** Waits a little, and longer the more often somebody was faster. */
  readonly giveWay: (tries: number) => Promise<void>;
}

/** One invocation. */
export interface Run extends DefendDeps {
  /** Tells this invocation from others that are at it. */
  readonly id: string;
  readonly place: Place;
  readonly timeLeft: TimeLeft;
}

export const TRIES = 20;
/** Longer than an invocation takes, shorter than until a message that failed comes again. */
const CLAIM_MS = 120_000;

/**
 * Reads, changes and writes, until nobody was faster. A change to the same is not written.
 *
 * @param known  the incident as it was just read, to save a read
 */
export async function update(
  id: string,
  { incidents, timeLeft, giveWay }: Run,
  change: (before: Incident | undefined) => Incident | undefined,
  known?: { readonly incident: Incident | undefined },
): Promise<Incident | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before =
      tries === 0 && known !== undefined ? known.incident : await incidents.incident(id, timeLeft);
    const after = change(before);
    if (after === undefined || after === before) return before;
    const next = { ...after, version: (before?.version ?? 0) + 1 };
    if (await incidents.saveIncident(next, timeLeft)) return next;
    await giveWay(tries);
  }
  throw new Error(`incident ${id} is written by too many at once`);
}

/** The same of an incident that is there. */
export async function changed(
  id: string,
  run: Run,
  change: (before: Incident) => Incident,
): Promise<Incident> {
  const after = await update(id, run, (before) =>
    before === undefined ? undefined : change(before),
  );
  if (after === undefined) throw new Error(`incident ${id} is gone`);
  return after;
}

/**
 * Claims to be the one who does something about an incident.
 *
 * @returns the incident as it is now, or nothing while somebody else has claimed it and may still be at it
 */
export async function claim(id: string, on: string, run: Run): Promise<Incident | undefined> {
  const { id: by } = run;
  const atMs = run.now();
  const after = await changed(id, run, (before) => {
    const { claim: other } = before;
    const isFree = other?.on !== on || other.by === by || other.atMs + CLAIM_MS <= atMs;
    return isFree ? { ...before, claim: { on, by, atMs } } : before;
  });
  return after.claim?.on === on && after.claim.by === by ? after : undefined;
}

export const topicArn = ({ partition, region, accountId }: Place, name: string): string =>
  `arn:${partition}:sns:${region}:${accountId}:${name}`;
