import {
  denialSteps,
  describeStep,
  type Step,
  type ThingFacts,
  undoOf,
} from '../../core/security/containment.ts';
import {
  type Denial,
  type DenialRung,
  held,
  letGo,
  withCertificates,
} from '../../core/security/denial.ts';
import type { Action, Incident, Rung } from '../../core/security/incident.ts';
import type { TimeLeft } from '../retry.ts';
import type { Containment, Place } from './containment.ts';
import type { IncidentTable } from './incident-table.ts';

interface Deps {
  readonly incidents: Pick<IncidentTable, 'denial' | 'saveDenial' | 'dropDenial'>;
  readonly containment: Pick<Containment, 'isActive' | 'perform'>;
  readonly now: () => number;
}

interface Means {
  readonly place: Place;
  readonly by: string;
  readonly why: string;
}

export interface Contained {
  /** What was done, for the record of the incident. */
  readonly actions: readonly Action[];
  /** What holds from now on; none when nobody holds the thing any more. */
  readonly denial: Denial | undefined;
}

const TRIES = 10;

/**
 * Makes an incident hold its thing, beside others that may hold it already: the highest rung of all counts. What it
 * takes to undo it is written before anything is done, so that a repetition after a crash does not take a certificate
 * that it deactivated itself for one that was inactive before.
 */
export async function containThing(
  { id, subject, cause }: Pick<Incident, 'id' | 'subject' | 'cause'>,
  rung: Exclude<Rung, 'notify'>,
  facts: Pick<ThingFacts, 'certificates' | 'fleet'>,
  means: Means,
  deps: Deps,
  timeLeft: TimeLeft,
): Promise<Contained> {
  const { incidents, containment, now } = deps;
  const thing = subject.name;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = await incidents.denial(thing, timeLeft);
    const atMs = before?.holders.find(({ incidentId }) => incidentId === id)?.atMs ?? now();
    const known = new Set(before?.certificates.map((one) => one.id));
    const found: { id: string; active: boolean }[] = [];
    for (const certificate of facts.certificates.filter((one) => !known.has(one))) {
      const active = await containment.isActive(certificate, timeLeft);
      if (active !== undefined) found.push({ id: certificate, active });
    }
    const holder = { incidentId: id, rung, cause, by: means.by, atMs };
    const next = withCertificates(held(thing, before, holder), found);
    if (!(await incidents.saveDenial(next, timeLeft))) continue;
    const joins = before !== undefined && isNoMore(before, next, id) && found.length === 0;
    if (!joins) return settle(next, before?.rung, facts.fleet, means, deps, timeLeft);
    const did = `joined incident ${before.incidentId}, which holds ${thing} already: ${before.rung}`;
    return { actions: [{ atMs: now(), by: means.by, did, why: means.why }], denial: next };
  }
  throw new Error(`${thing} is contained and let go by too many at once`);
}

/** Somebody else has done, or is doing, all that the denial takes. */
const isNoMore = (before: Denial, next: Denial, id: string): boolean =>
  before.rung === next.rung && !before.holders.some(({ incidentId }) => incidentId === id);

/**
 * Ends the hold of an incident on its thing. Where others hold it still, it comes down to the highest of their rungs;
 * where nobody does, what containment found ACTIVE is so again, and nothing else.
 *
 * @returns nothing when the thing is not held, by this incident or by one whose release did not come to its end
 */
export async function releaseThing(
  { id, subject }: Pick<Incident, 'id' | 'subject'>,
  fleet: string | undefined,
  means: Means,
  deps: Deps,
  timeLeft: TimeLeft,
): Promise<Contained | undefined> {
  const { incidents } = deps;
  const thing = subject.name;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = await incidents.denial(thing, timeLeft);
    if (before === undefined) return undefined;
    const isHolder = before.holders.some(({ incidentId }) => incidentId === id);
    if (!isHolder && before.rung !== 'none') return undefined;
    const next = letGo(before, id);
    if (!(await incidents.saveDenial(next, timeLeft))) continue;
    return settle(next, before.rung, fleet, means, deps, timeLeft);
  }
  throw new Error(`${thing} is contained and let go by too many at once`);
}

/** Makes a denial true, and what has become of it meanwhile: two who change it at once end at the same. */
async function settle(
  denial: Denial,
  before: DenialRung | undefined,
  fleet: string | undefined,
  means: Means,
  deps: Deps,
  timeLeft: TimeLeft,
): Promise<Contained> {
  const { incidents, now } = deps;
  const { by, why } = means;
  const actions: Action[] = [noted(denial, before, means, now())];
  let current = denial;
  for (let tries = 0; tries < TRIES; tries += 1) {
    for (const step of denialSteps(current, fleet)) {
      const did = await perform(step, means.place, deps, timeLeft);
      if (did === undefined) continue;
      const undo = undoOf(step);
      actions.push({ atMs: now(), by, did, why, ...(undo === undefined ? {} : { undo }) });
    }
    if (current.rung === 'none' && (await incidents.dropDenial(current, timeLeft))) {
      return { actions, denial: undefined };
    }
    const after = await incidents.denial(denial.thing, timeLeft);
    if (after === undefined || after.version === current.version) {
      return { actions, denial: after };
    }
    current = after;
  }
  throw new Error(`${denial.thing} is contained and let go by too many at once`);
}

function noted(
  { thing, rung, incidentId }: Denial,
  before: DenialRung | undefined,
  { by, why }: Means,
  atMs: number,
): Action {
  const undo = 'npm run incident -- release';
  if (rung === 'none') return { atMs, by, did: `took back the denial of ${thing}`, why };
  const did =
    before === undefined || before === 'none' || before === rung
      ? `denied ${thing}: ${rung}`
      : `changed the denial of ${thing} from ${before} to ${rung}, because of incident ${incidentId}`;
  return { atMs, by, did, why, undo };
}

/** A device that cannot be told is contained all the same. @returns what was done, if there was something to do */
async function perform(
  step: Step,
  place: Place,
  { containment }: Deps,
  timeLeft: TimeLeft,
): Promise<string | undefined> {
  try {
    return (await containment.perform(step, place, timeLeft)) ? describeStep(step) : undefined;
  } catch (error) {
    if (step.act !== 'tell-device') throw error;
    const reason = error instanceof Error ? error.name : 'unknown';
    return `could not tell the device on ${step.notice.topic} (${reason})`;
  }
}
