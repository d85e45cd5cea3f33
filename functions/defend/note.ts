import { SEVERITIES, type Severity } from '../../shared/core/security/check-names.ts';
import {
  afterNotification,
  type Incident,
  severityOf,
} from '../../shared/core/security/incident.ts';
import type { Notification } from '../../shared/core/security/notification.ts';
import type { Run } from './run.ts';

/** What notifications of one subject and cause make of its incident; the same when they were counted before. */
export function noted(
  before: Incident | undefined,
  notifications: readonly Notification[],
  { suppressed }: Pick<Run, 'suppressed'>,
): Incident {
  const [first, ...rest] = notifications;
  if (first === undefined) throw new Error('an incident is made of notifications');
  const isSuppressed = ({ behavior }: Notification): boolean =>
    behavior !== undefined && suppressed.has(behavior);
  const after = rest.reduce(
    (incident, one) => afterNotification(incident, one, isSuppressed(one)),
    afterNotification(before, first, isSuppressed(first)),
  );
  if (after === before) return after;
  const given = notifications.find(({ severity }) => severity !== undefined)?.severity;
  const least = after.episode === before?.episode ? before.severity : 'LOW';
  const severity = graver(least, severityOf(after, { criticality: 'normal', given }));
  return { ...after, severity };
}

/** Within an episode an incident does not become less grave: that would be told as news. */
export const graver = (one: Severity, other: Severity): Severity =>
  SEVERITIES.indexOf(one) > SEVERITIES.indexOf(other) ? one : other;
