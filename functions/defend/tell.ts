import { isQuiet } from '../../shared/core/security/budget.ts';
import type { Incident } from '../../shared/core/security/incident.ts';
import { type Notice, noticeOf, TOO_MANY, tellingOf } from '../../shared/core/security/notice.ts';
import { changed, claim, type Run, topicArn } from './run.ts';

const ALERT_WINDOW_MS = 300_000;

/** `quiet` and `over budget`: it waits, and the sweep tells it when its time has come. */
export type Telling = 'told' | 'nothing new' | 'quiet' | 'over budget' | 'somebody else';

/**
 * Tells a state once. In quiet hours, only what is HIGH or CRITICAL; beyond the budget of alerts, nothing. What is not
 * told is marked as due.
 */
export async function tell(incident: Incident, run: Run): Promise<Telling> {
  const telling = tellingOf(incident);
  if (incident.told === telling || incident.episode === 0 || incident.state === 'suppressed') {
    if (incident.due === 'alert') await changed(incident.id, run, withoutDue);
    return 'nothing new';
  }
  const nowMs = run.now();
  const urgent = incident.severity === 'HIGH' || incident.severity === 'CRITICAL';
  if (!urgent && isQuiet(run.quietHours, nowMs)) {
    await hold(incident, run);
    return 'quiet';
  }
  const isMine = await claim(incident.id, `tell ${telling}`, run);
  if (isMine === undefined) return 'somebody else';
  const window = Math.floor(nowMs / ALERT_WINDOW_MS);
  const place = await run.incidents.countAlert(window, nowMs, run.timeLeft);
  if (place > run.alertsLimit) {
    if (place === run.alertsLimit + 1) await publish(TOO_MANY, run);
    await hold(incident, run);
    return 'over budget';
  }
  await publish(noticeOf(incident), run);
  await run.announce(incident, run.timeLeft);
  await changed(incident.id, run, (before) => ({
    ...(tellingOf(before) === telling ? withoutDue(before) : before),
    told: telling,
  }));
  return 'told';
}

/** The claim goes with it: whoever sweeps is another invocation. */
const hold = (incident: Incident, run: Run): Promise<Incident> =>
  changed(incident.id, run, (before) => {
    if (before.due !== undefined && before.claim === undefined) return before;
    const { claim: _claim, ...rest } = before;
    return { ...rest, due: before.due ?? 'alert' };
  });

function withoutDue(incident: Incident): Incident {
  if (incident.due !== 'alert') return incident;
  const { due: _due, ...rest } = incident;
  return rest;
}

/** @throws {Error} when nobody could be notified */
export async function publish(
  { subject, body }: Notice,
  { notifications, notificationsTopic, place, timeLeft }: Run,
): Promise<void> {
  const arn = topicArn(place, notificationsTopic);
  const [failure] = await notifications.publish(arn, [{ subject, body }], timeLeft);
  if (failure !== undefined) throw new Error(`nobody was notified: ${failure.reason}`);
}
