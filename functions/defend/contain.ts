import type { Containment, Place } from '../../shared/adapters/containment.ts';
import type { Denial, IncidentTable } from '../../shared/adapters/incident-table.ts';
import type { TimeLeft } from '../../shared/adapters/retry.ts';
import { containmentSteps, describeStep } from '../../shared/core/security/containment.ts';
import type { Action, Incident, Rung } from '../../shared/core/security/incident.ts';

interface Deps {
  readonly incidents: Pick<IncidentTable, 'denial' | 'deny'>;
  readonly containment: Pick<Containment, 'isActive' | 'perform'>;
  readonly now: () => number;
}

/**
 * Contains the thing of an incident, as far as no other incident does already. What it takes to undo it is written
 * before anything is done, so that a repetition after a crash does not take a certificate that it deactivated itself
 * for one that was inactive before.
 *
 * @returns what was done; nothing when another incident holds the thing
 */
export async function contain(
  { id, subject, cause }: Incident,
  rung: Exclude<Rung, 'notify'>,
  certificates: readonly string[],
  place: Place,
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
      by: 'defend',
      did: describeStep(step),
      why: cause,
      ...('undo' in step ? { undo: step.undo } : {}),
    });
  }
  return actions;
}
