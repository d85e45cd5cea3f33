import { createHash } from 'node:crypto';
import * as z from 'zod';
import { SEVERITIES, type Severity } from './check-names.ts';
import type { Notification, Subject } from './notification.ts';

/** Ids of notifications that were counted, so that one that comes again is not; and lines of evidence, the newest. */
const COUNTED_LIMIT = 128;
const EVIDENCE_LIMIT = 10;
const OPEN_ALARMS_LIMIT = 32;
const BEHAVIORS_LIMIT = 8;

const Line = z.object({ atMs: z.number(), says: z.string() });
const Action = z.object({
  atMs: z.number(),
  by: z.string(),
  did: z.string(),
  why: z.string(),
  undo: z.string().optional(),
});
export type Action = z.infer<typeof Action>;

export const RUNGS = ['notify', 'quarantine', 'cut-off'] as const;
export type Rung = (typeof RUNGS)[number];

/** All that is known of one thing and one cause. */
export const Incident = z.object({
  v: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  subject: z.object({ kind: z.enum(['thing', 'resource', 'account']), name: z.string() }),
  fleet: z.string().optional(),
  cause: z.string(),
  state: z.enum(['open', 'contained', 'cleared', 'closed', 'suppressed']),
  severity: z.enum(SEVERITIES),
  firstAtMs: z.number(),
  lastAtMs: z.number(),
  /** Behaviours that its alarms were about. */
  behaviors: z.array(z.string()).default([]),
  /** Of the whole incident, over all times it was open. */
  count: z.int(),
  /** How often it was opened. */
  episode: z.int(),
  evidence: z.array(Line),
  counted: z.array(z.string()),
  /** Alarms whose end has not been told. */
  alarms: z.array(z.string()),
  /** Alarms whose end was told before their beginning. */
  endedEarly: z.array(z.string()),
  /** What containment would be or is, and how far it came. */
  containment: z
    .object({
      rung: z.enum(RUNGS),
      state: z.enum(['proposed', 'granted', 'refused', 'done', 'released']),
      why: z.string(),
    })
    .optional(),
  actions: z.array(Action),
  /** What people have been told last: a state is told once. */
  told: z.string().optional(),
  /** `alert`: it is to be told, and could not be yet. `storm`: it stands for many things, which are counted apart. */
  due: z.enum(['alert', 'storm']).optional(),
  /** Who is about to act, on what; others leave it to them for a while. */
  claim: z.object({ on: z.string(), by: z.string(), atMs: z.number() }).optional(),
  version: z.int(),
});
export type Incident = z.infer<typeof Incident>;

/** One incident per subject and cause; the same for whoever asks. */
export const incidentId = ({ kind, name }: Subject, cause: string): string =>
  createHash('sha256')
    .update(JSON.stringify([kind, name, cause]))
    .digest('hex')
    .slice(0, 16);

/**
 * What a notification makes of an incident, or of none.
 *
 * Their order does not matter: an alarm whose end was told before it ends at once. A notification that was counted
 * changes nothing.
 *
 * @param suppressed  whether this behaviour is not to open incidents
 */
export function afterNotification(
  before: Incident | undefined,
  notification: Notification,
  suppressed: boolean,
): Incident {
  const now = before ?? opened(notification);
  if (now.counted.includes(notification.id)) return now;
  if (notification.type === 'complied') return complied(now, notification);
  const counted = [...now.counted, notification.id].slice(-COUNTED_LIMIT);
  const seen = {
    ...now,
    counted,
    firstAtMs: Math.min(now.firstAtMs, notification.atMs),
    lastAtMs: Math.max(now.lastAtMs, notification.atMs),
  };
  return notification.type === 'cleared' || notification.type === 'invalidated'
    ? ended(seen, notification)
    : begun(seen, notification, suppressed);
}

/** Whether a notification would open an incident: a new one, or one that had ended. */
export const wouldOpen = (
  before: Incident | undefined,
  { id, type, alarm }: Notification,
): boolean =>
  type !== 'complied' &&
  type !== 'cleared' &&
  type !== 'invalidated' &&
  (before === undefined ||
    ((before.state === 'cleared' || before.state === 'closed') &&
      before.containment?.state !== 'done' &&
      !before.counted.includes(id) &&
      !before.endedEarly.includes(alarm)));

function opened({ subject, cause, atMs }: Notification): Incident {
  return {
    v: 1,
    id: incidentId(subject, cause),
    subject: { ...subject },
    cause,
    state: 'closed',
    severity: 'LOW',
    firstAtMs: atMs,
    lastAtMs: atMs,
    behaviors: [],
    count: 0,
    episode: 0,
    evidence: [],
    counted: [],
    alarms: [],
    endedEarly: [],
    actions: [],
    version: 0,
  };
}

function begun(incident: Incident, notification: Notification, suppressed: boolean): Incident {
  const { alarm, atMs, says, behavior } = notification;
  const evidence = [...incident.evidence, { atMs, says }].slice(-EVIDENCE_LIMIT);
  const others = incident.behaviors.filter((one) => one !== behavior);
  const behaviors = [...others, ...(behavior === undefined ? [] : [behavior])];
  const counted = {
    ...incident,
    evidence,
    behaviors: behaviors.slice(-BEHAVIORS_LIMIT),
    count: incident.count + 1,
  };
  if (incident.endedEarly.includes(alarm)) {
    const endedEarly = incident.endedEarly.filter((one) => one !== alarm);
    return { ...counted, endedEarly };
  }
  const alarms = [...incident.alarms.filter((one) => one !== alarm), alarm].slice(
    -OPEN_ALARMS_LIMIT,
  );
  if (suppressed) return { ...counted, alarms, state: 'suppressed' };
  if (incident.state === 'open' || incident.state === 'contained') return { ...counted, alarms };
  const { containment: _over, ...rest } = counted;
  const kept = incident.containment?.state === 'done' ? counted : rest;
  return {
    ...kept,
    alarms,
    state: incident.containment?.state === 'done' ? 'contained' : 'open',
    episode: incident.episode + 1,
  };
}

/** A device that was contained stays so until somebody lets it go: that it is quiet now is what was wanted. */
function ended(incident: Incident, { alarm, type }: Notification): Incident {
  if (!incident.alarms.includes(alarm)) {
    const endedEarly = [...incident.endedEarly, alarm].slice(-OPEN_ALARMS_LIMIT);
    return { ...incident, endedEarly };
  }
  const alarms = incident.alarms.filter((one) => one !== alarm);
  if (alarms.length > 0 || incident.state !== 'open') return { ...incident, alarms };
  return { ...incident, alarms, state: type === 'cleared' ? 'cleared' : 'closed' };
}

/** An audit looks at all there is: what others found before it is over, what was found since is not. */
function complied(incident: Incident, { id, atMs, says }: Notification): Incident {
  if (incident.alarms.length === 0 || atMs < incident.lastAtMs) return incident;
  return {
    ...incident,
    counted: [...incident.counted, id].slice(-COUNTED_LIMIT),
    evidence: [...incident.evidence, { atMs, says }].slice(-EVIDENCE_LIMIT),
    lastAtMs: atMs,
    alarms: [],
    state: incident.state === 'open' ? 'cleared' : incident.state,
  };
}

const BASE: Readonly<Record<string, Severity>> = {
  flood: 'MEDIUM',
  oversize: 'MEDIUM',
  'authorization-failures': 'HIGH',
  'forbidden-access': 'HIGH',
  'shared-credential': 'HIGH',
  'frame-replay': 'HIGH',
  'frame-forgery': 'HIGH',
  'source-address': 'HIGH',
  'open-ports': 'HIGH',
};

/** What else makes an incident worse than its cause does. */
export interface Gravity {
  /** Tag of the thing. */
  readonly criticality: 'normal' | 'critical';
  /** Severity where the sender gave one. */
  readonly given: Severity | undefined;
}

/** By cause, one step up for a critical thing, and one for what comes back for the third time. */
export function severityOf(
  { cause, episode }: Pick<Incident, 'cause' | 'episode'>,
  { criticality, given }: Gravity,
): Severity {
  const base = SEVERITIES.indexOf(given ?? BASE[cause] ?? 'LOW');
  const steps = (criticality === 'critical' ? 1 : 0) + (episode >= 3 ? 1 : 0);
  return SEVERITIES[Math.min(SEVERITIES.length - 1, base + steps)] ?? 'CRITICAL';
}
