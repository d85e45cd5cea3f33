import { incidentId } from '../../shared/core/security/incident.ts';
import type { Notification } from '../../shared/core/security/notification.ts';
import type { Run } from './run.ts';

/** What makes a device come and go: then that is the cause, and the coming and going is evidence of it. */
const EXPLAINED: Readonly<Record<string, readonly string[]>> = {
  'reconnect-storm': ['shared-credential', 'forbidden-access', 'authorization-failures'],
};

/** @returns the notification under the cause that explains it, if there is such an incident of its thing */
export async function folded(notification: Notification, run: Run): Promise<Notification> {
  const { subject, cause, alarm, type } = notification;
  for (const other of EXPLAINED[cause] ?? []) {
    const found = await run.incidents.incident(incidentId(subject, other), run.timeLeft);
    const isLive = found?.state === 'open' || found?.state === 'contained';
    const isIts = found?.alarms.includes(alarm) === true;
    if (isIts || (isLive && type === 'alarm')) return { ...notification, cause: other };
  }
  return notification;
}
