import { type Incident, incidentId, wouldOpen } from '../../shared/core/security/incident.ts';
import type { Notification } from '../../shared/core/security/notification.ts';
import {
  STORM_THINGS,
  stormNotification,
  stormSubject,
  stormWindow,
} from '../../shared/core/security/storm.ts';
import { noted } from './note.ts';
import { type Run, update } from './run.ts';

/**
 * Takes out what belongs to a storm: more things than a person could look at have the same cause at once. Such things
 * get no incident of their own, nor any containment; they are counted on the one of the storm.
 *
 * @returns what is left for the thing's own incident
 */
export async function divert(
  own: Incident | undefined,
  notifications: readonly Notification[],
  run: Run,
): Promise<{ readonly left: readonly Notification[]; readonly storm: Incident | undefined }> {
  const strangers = notifications.filter(
    (one) => one.subject.kind === 'thing' && (wouldOpen(own, one) || isForeignEnd(own, one)),
  );
  const [first] = strangers;
  if (first === undefined) return { left: notifications, storm: undefined };
  const { storms, now, timeLeft } = run;
  const { subject, cause } = first;
  const known = await storms.affectedBy(subject.name, cause, timeLeft);
  const begins = strangers.some((one) => wouldOpen(own, one) && !known.has(one.id));
  const isStorm =
    begins &&
    (await storms.countOpening(cause, stormWindow(now()), now(), timeLeft)) > STORM_THINGS;
  const taken = new Set(
    strangers.filter(
      (one) => known.has(one.id) || (isStorm && wouldOpen(own, one)) || endsIn(known, own, one),
    ),
  );
  const left = notifications.filter((one) => !taken.has(one));
  if (taken.size === 0) return { left, storm: undefined };
  return { left, storm: await addTo(subject.name, cause, [...taken], run) };
}

const isEnd = ({ type }: Notification): boolean => type === 'cleared' || type === 'invalidated';

/** The end of an alarm that the thing's own incident knows nothing of. */
const isForeignEnd = (own: Incident | undefined, one: Notification): boolean =>
  isEnd(one) && own?.alarms.includes(one.alarm) !== true;

const endsIn = (
  known: ReadonlySet<string>,
  own: Incident | undefined,
  one: Notification,
): boolean => known.size > 0 && isForeignEnd(own, one);

async function addTo(
  thing: string,
  cause: string,
  notifications: readonly Notification[],
  run: Run,
): Promise<Incident | undefined> {
  const { storms, now, timeLeft, place } = run;
  const stormId = incidentId(stormSubject(place.accountId), cause);
  const ids = notifications.map(({ id }) => id);
  const { isNew, added } = await storms.affect({ thing, cause, stormId, ids }, now(), timeLeft);
  if (added === 0 && !isNew) return undefined;
  const amounts = { things: isNew ? 1 : 0, notifications: added };
  if (await storms.countAffected(stormId, amounts, now(), timeLeft)) return undefined;
  const notification = stormNotification(place.accountId, cause, now());
  const opened = await update(stormId, run, (before) => {
    const after = noted(before, [notification], run);
    return after === before ? before : { ...after, due: 'storm' };
  });
  await storms.markStorm(stormId, true, timeLeft);
  return opened;
}
