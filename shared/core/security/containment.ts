import * as z from 'zod';
import { NAME } from '../names.ts';
import type { Denial } from './denial.ts';
import type { Incident, Rung } from './incident.ts';
import { RUNGS } from './incident.ts';

/** What is done about a cause or behaviour, at most, without a person; everything else is told and no more. */
export const Ladder = z.record(z.string(), z.enum(RUNGS));
export type Ladder = z.infer<typeof Ladder>;

/** Refused connects are not among them: they name a client id, which anybody can claim to be. */
export const DEFAULT_LADDER: Ladder = {
  flood: 'cut-off',
  oversize: 'quarantine',
  'malformed-payloads': 'quarantine',
  'forbidden-access': 'quarantine',
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
  /** Other things that have one of its certificates: what is done to it is done to them. */
  readonly sharedWith: readonly string[];
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

/** The highest rung of the incident's behaviours that the ladder has; without any, that of its cause. */
export function rungFor(
  { cause, behaviors }: Pick<Incident, 'cause' | 'behaviors'>,
  ladder: Ladder,
): Rung {
  const named = behaviors.flatMap((behavior) => ladder[behavior] ?? []);
  return named.length === 0 ? (ladder[cause] ?? 'notify') : named.reduce(higher);
}

export const higher = (one: Rung, other: Rung): Rung =>
  RUNGS.indexOf(one) >= RUNGS.indexOf(other) ? one : other;

/** How far containment of an incident should go, and why not further. */
export function proposeContainment(
  incident: Pick<Incident, 'subject' | 'cause' | 'behaviors'>,
  { ladder, spared, facts }: Circumstances,
): Proposal {
  const { subject, cause } = incident;
  const only = (why: string): Proposal => ({ rung: 'notify', why });
  if (subject.kind !== 'thing') return only('no device is at fault');
  const rung = rungFor(incident, ladder);
  if (rung === 'notify') return only(`${cause} is told and no more`);
  if (facts === undefined) return only('the registry has no such thing');
  if (facts.isGateway) return only('a gateway takes its devices along');
  if (spared.has(subject.name)) return only('the thing is on the list of those to be spared');
  const [other] = facts.sharedWith;
  if (other !== undefined) return only(`its certificate is that of ${other} as well`);
  return { rung, why: `${cause} is answered with ${rung}` };
}

/** What a device reads about itself, on a topic that its own policy lets it read. */
export interface DeviceNotice {
  /** `alert/<fleet>/<thing>` */
  readonly topic: string;
  /** Empty takes back what was retained. */
  readonly payload: string;
  readonly retain: boolean;
}

/** One act of containment or of its end; each may be repeated. */
export type Step =
  | { readonly act: 'attach-quarantine'; readonly certificateId: string }
  | { readonly act: 'detach-quarantine'; readonly certificateId: string }
  | { readonly act: 'deactivate'; readonly certificateId: string }
  | { readonly act: 'activate'; readonly certificateId: string }
  | { readonly act: 'tell-device'; readonly notice: DeviceNotice }
  | { readonly act: 'disconnect'; readonly clientId: string };

/**
 * What makes a denial true, in the order in which nothing slips through: refusals first, then the end of the session,
 * which a device answers by connecting anew. A certificate that was not ACTIVE before is never made so, and one that
 * somebody revoked meanwhile stays revoked: `activate` and `deactivate` are for the other of the two only.
 *
 * @param fleet  where the registry has one: without it, the device cannot be told
 */
export function denialSteps(
  denial: Pick<Denial, 'thing' | 'rung' | 'incidentId' | 'holders' | 'certificates'>,
  fleet: string | undefined,
): readonly Step[] {
  const { thing, rung, certificates } = denial;
  const ids = certificates.map(({ id }) => id);
  const active = certificates.filter((one) => one.active).map(({ id }) => id);
  const tell = noticesOf(denial, fleet).map((notice): Step => ({ act: 'tell-device', notice }));
  const of =
    (act: 'attach-quarantine' | 'detach-quarantine' | 'deactivate' | 'activate') =>
    (some: readonly string[]): Step[] =>
      some.map((certificateId) => ({ act, certificateId }));
  switch (rung) {
    case 'none':
      return [...of('detach-quarantine')(ids), ...of('activate')(active), ...tell];
    case 'quarantine':
      return [
        ...of('attach-quarantine')(ids),
        ...of('activate')(active),
        ...tell,
        { act: 'disconnect', clientId: thing },
      ];
    case 'cut-off':
      return [
        ...of('attach-quarantine')(ids),
        ...tell,
        ...of('deactivate')(active),
        { act: 'disconnect', clientId: thing },
      ];
  }
}

/** Retained while the thing is held; taken back at its end, with a last word to who listens. */
function noticesOf(
  { thing, rung, incidentId, holders }: Parameters<typeof denialSteps>[0],
  fleet: string | undefined,
): readonly DeviceNotice[] {
  if (fleet === undefined || !NAME.test(fleet) || !NAME.test(thing)) return [];
  const topic = `alert/${fleet}/${thing}`;
  const holder = holders.find((one) => one.incidentId === incidentId);
  const payload = JSON.stringify({
    v: 1,
    kind: 'containment',
    rung,
    incident: incidentId,
    ...(holder === undefined ? {} : { cause: holder.cause, sinceMs: holder.atMs }),
    says: SAYINGS[rung],
  });
  return rung === 'none'
    ? [
        { topic, payload, retain: false },
        { topic, payload: '', retain: true },
      ]
    : [{ topic, payload, retain: true }];
}

const SAYINGS: Readonly<Record<Denial['rung'], string>> = {
  none: 'you may connect and publish again',
  quarantine: 'you may connect and read, and not publish, until somebody has looked',
  'cut-off': 'you may not connect until somebody has looked',
};

export const describeStep = (step: Step): string => {
  switch (step.act) {
    case 'attach-quarantine':
      return `attached the quarantine policy to certificate ${step.certificateId.slice(0, 12)}…`;
    case 'detach-quarantine':
      return `detached the quarantine policy from certificate ${step.certificateId.slice(0, 12)}…`;
    case 'deactivate':
      return `set certificate ${step.certificateId.slice(0, 12)}… INACTIVE`;
    case 'activate':
      return `set certificate ${step.certificateId.slice(0, 12)}… ACTIVE`;
    case 'tell-device':
      return step.notice.payload === ''
        ? `took back the notice on ${step.notice.topic}`
        : `told the device on ${step.notice.topic}`;
    case 'disconnect':
      return `ended the session of ${step.clientId}`;
  }
};

/** How a step is undone, for the record. */
export const undoOf = ({ act }: Step): string | undefined => {
  const undo = UNDO[act];
  return undo === undefined ? undefined : `${undo} (npm run incident -- release)`;
};

const UNDO: Readonly<Partial<Record<Step['act'], string>>> = {
  'attach-quarantine': 'detach the quarantine policy',
  deactivate: 'set the certificate ACTIVE',
  'tell-device': 'take the notice back',
};
