import { createHash } from 'node:crypto';
import type { Notification, Subject } from './notification.ts';

/** Things that may open an incident of the same cause within a window; what comes beyond is one cause. */
export const STORM_THINGS = 50;
const STORM_WINDOW_MS = 900_000;
/** A storm is over when nothing was added for so long. */
export const STORM_REST_MS = 900_000;

export const stormWindow = (nowMs: number): number => Math.floor(nowMs / STORM_WINDOW_MS);

/** What an incident of many things is about: the account, as a cause that many share is no one's. */
export const stormSubject = (accountId: string): Subject => ({ kind: 'account', name: accountId });

/** The notification that opens the incident of a storm; the same for whoever sees it first, and however often. */
export function stormNotification(accountId: string, cause: string, nowMs: number): Notification {
  return {
    id: idOf(cause, stormWindow(nowMs)),
    type: 'alarm',
    subject: stormSubject(accountId),
    cause,
    alarm: `storm ${cause}`,
    atMs: nowMs,
    says: `more than ${STORM_THINGS} devices within a quarter of an hour: further ones are counted here, not one by one`,
    behavior: undefined,
    severity: 'HIGH',
  };
}

/** Its end, when it has rested. */
export const stormEnd = (accountId: string, cause: string, nowMs: number): Notification => ({
  ...stormNotification(accountId, cause, nowMs),
  id: idOf(cause, 'end', stormWindow(nowMs)),
  type: 'cleared',
  says: 'no further device for a quarter of an hour',
  severity: undefined,
});

const idOf = (...parts: readonly (string | number)[]): string =>
  createHash('sha256')
    .update(JSON.stringify(['storm', ...parts]))
    .digest('base64url')
    .slice(0, 11);
