import { containmentSteps, describeStep } from '../core/security/containment.ts';
import type { Action, Incident, Rung } from '../core/security/incident.ts';
import type { Containment, Place } from './containment.ts';
import type { Denial, IncidentTable } from './incident-table.ts';
import type { TimeLeft } from './retry.ts';

interface Deps {
  readonly incidents: Pick<IncidentTable, 'denial' | 'deny' | 'allow'>;
  readonly containment: Pick<Containment, 'isActive' | 'perform' | 'restore'>;
  readonly now: () => number;
}

/**
 * Contains the thing of an incident, as far as no other incident does already. What it takes to undo it is written
 * before anything is done, so that a repetition after a crash does not take a certificate that it deactivated itself
 * for one that was inactive before.
 *
 * @returns what was done; nothing when another incident holds the thing
 */
export async function containThing(
  { id, subject, cause }: Incident,
  rung: Exclude<Rung, 'notify'>,
  certificates: readonly string[],
  { place, by, why = cause }: { readonly place: Place; readonly by: string; readonly why?: string },
  { incidents, containment, now }: Deps,
  timeLeft: TimeLeft,
): Promise<readonly Action[]> {
  const thing = subject.name;
  const before = await incidents.denial(thing, timeLeft);
  const denial: Denial = {
    thing,
    incidentId: id,
    rung,
    certificates: [],
    atMs: before?.atMs ?? now(),
  };
  const known = new Map(before?.certificates.map((one) => [one.id, one.active]));
  for (const certificateId of certificates) {
    const active =
      known.get(certificateId) ?? (await containment.isActive(certificateId, timeLeft));
    if (active !== undefined) denial.certificates.push({ id: certificateId, active });
  }
  if (!(await incidents.deny(denial, timeLeft))) return [];
  const actions: Action[] = [];
  const present = denial.certificates.map((one) => one.id);
  for (const step of containmentSteps(thing, rung, present)) {
    await containment.perform(step, place, timeLeft);
    actions.push({
      atMs: now(),
      by,
      did: describeStep(step),
      why,
      ...('undo' in step ? { undo: step.undo } : {}),
    });
  }
  return actions;
}

/**
 * Lets the thing of an incident go: what the containment found ACTIVE is so again, and nothing else.
 *
 * @returns what was undone; nothing when the incident does not hold the thing
 */
export async function releaseThing(
  { id, subject }: Incident,
  { place, by, why }: { readonly place: Place; readonly by: string; readonly why: string },
  { incidents, containment, now }: Deps,
  timeLeft: TimeLeft,
): Promise<readonly Action[]> {
  const denial = await incidents.denial(subject.name, timeLeft);
  if (denial === undefined || denial.incidentId !== id) return [];
  const actions: Action[] = [];
  const note = (did: string) => actions.push({ atMs: now(), by, did, why });
  for (const certificate of denial.certificates) {
    const activate = certificate.active && denial.rung === 'cut-off';
    await containment.restore(certificate.id, activate, place, timeLeft);
    note(`released certificate ${certificate.id.slice(0, 12)}…${activate ? ', ACTIVE again' : ''}`);
  }
  // last, as it says what there is to undo
  await incidents.allow(subject.name, timeLeft);
  note(`removed the denial of ${subject.name}`);
  return actions;
}
