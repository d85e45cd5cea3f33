import * as z from 'zod';
import type { Incident, Rung } from './incident.ts';
import { RUNGS } from './incident.ts';

/** What is done about a cause, at most, without a person; everything else is told and no more. */
export const Ladder = z.record(z.string(), z.enum(RUNGS));
export type Ladder = z.infer<typeof Ladder>;

export const DEFAULT_LADDER: Ladder = {
  flood: 'cut-off',
  oversize: 'quarantine',
  'malformed-payloads': 'quarantine',
  'authorization-failures': 'quarantine',
  'shared-credential': 'cut-off',
  'frame-forgery': 'notify',
  'source-address': 'quarantine',
};

/** Whether containment is carried out, or said and left to a person. */
export type Mode = 'propose' | 'contain';

/** What the registry says of a thing now; read again before anything is done. */
export interface ThingFacts {
  readonly fleet: string | undefined;
  readonly criticality: 'normal' | 'critical';
  readonly isGateway: boolean;
  readonly certificates: readonly string[];
}

export type Proposal =
  | { readonly rung: 'notify'; readonly why: string }
  | { readonly rung: Exclude<Rung, 'notify'>; readonly why: string };

export interface Circumstances {
  readonly ladder: Ladder;
  /** Things that are never contained without a person. */
  readonly spared: ReadonlySet<string>;
  /** None when the registry has no such thing. */
  readonly facts: ThingFacts | undefined;
}

/** How far containment of an incident should go, and why not further. */
export function proposeContainment(
  { subject, cause, state }: Pick<Incident, 'subject' | 'cause' | 'state'>,
  { ladder, spared, facts }: Circumstances,
): Proposal {
  const only = (why: string): Proposal => ({ rung: 'notify', why });
  if (state !== 'open') return only(`the incident is ${state}`);
  if (subject.kind !== 'thing') return only('no device is at fault');
  const rung = ladder[cause] ?? 'notify';
  if (rung === 'notify') return only(`${cause} is told and no more`);
  if (facts === undefined) return only('the registry has no such thing');
  if (facts.isGateway) return only('a gateway takes its devices along');
  if (spared.has(subject.name)) return only('the thing is on the list of those to be spared');
  return { rung, why: `${cause} is answered with ${rung}` };
}

/** One act of containment; each may be repeated, and says how it is undone. */
export type Step =
  | { readonly act: 'deny-credentials'; readonly thing: string; readonly undo: string }
  | { readonly act: 'attach-quarantine'; readonly certificateId: string; readonly undo: string }
  | { readonly act: 'deactivate'; readonly certificateId: string; readonly undo: string }
  | { readonly act: 'disconnect'; readonly clientId: string };

/**
 * What a rung takes, in the order in which nothing slips through: refusals first, then the end of the session, which
 * a device answers by connecting anew.
 */
export function containmentSteps(
  thing: string,
  rung: Exclude<Rung, 'notify'>,
  certificates: readonly string[],
): readonly Step[] {
  const undo = (what: string): string => `${what} (npm run incident -- release)`;
  return [
    { act: 'deny-credentials', thing, undo: undo('delete the denial of the thing') },
    ...certificates.map(
      (certificateId): Step => ({
        act: 'attach-quarantine',
        certificateId,
        undo: undo('detach the quarantine policy'),
      }),
    ),
    ...(rung === 'cut-off'
      ? certificates.map(
          (certificateId): Step => ({
            act: 'deactivate',
            certificateId,
            undo: undo('set the certificate ACTIVE'),
          }),
        )
      : []),
    { act: 'disconnect', clientId: thing },
  ];
}

export const describeStep = (step: Step): string => {
  switch (step.act) {
    case 'deny-credentials':
      return `recorded the denial of ${step.thing}`;
    case 'attach-quarantine':
      return `attached the quarantine policy to certificate ${step.certificateId.slice(0, 12)}…`;
    case 'deactivate':
      return `set certificate ${step.certificateId.slice(0, 12)}… INACTIVE`;
    case 'disconnect':
      return `ended the session of ${step.clientId}`;
  }
};
