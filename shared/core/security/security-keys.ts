import type { Key } from '../keys.ts';

/** Of the table `guard`; client ids hold anything but are the last part of a key. */
export const watchedKey = (thing: string): Key => ({ pk: `device#${thing}`, sk: 'watch' });

export const thingWatched = ({ pk }: Key): string => pk.slice('device#'.length);

/** What the devices of a fleet did under a behaviour in one week. */
export const statisticKey = (fleet: string, behavior: string, week: number): Key => ({
  pk: `statistic#${fleet}`,
  sk: `${String(week).padStart(6, '0')}#${behavior}`,
});

/** Of the table `devices`: whether a device is connected. */
export const connectionKey = (thing: string): Key => ({ pk: `thing#${thing}`, sk: 'connection' });

/** Of the table `incidents`. */
export const incidentKey = (id: string): Key => ({ pk: `incident#${id}`, sk: 'incident' });

/** What of a thing was refused, by which incident: present while it is contained. */
export const denialKey = (thing: string): Key => ({ pk: `thing#${thing}`, sk: 'denial' });

/** One item for the whole account, as the budget is one. */
export const BUDGET_KEY: Key = { pk: 'budget', sk: 'account' };

/** Alerts told within one window of time. */
export const alertsKey = (window: number): Key => ({ pk: `alerts#${window}`, sk: 'count' });

/** Incidents of a cause opened within one window of time. */
export const openingsKey = (cause: string, window: number): Key => ({
  pk: `openings#${window}`,
  sk: cause,
});

/** A thing that has no incident of its own for a cause, as many had it at once. */
export const affectedKey = (thing: string, cause: string): Key => ({
  pk: `thing#${thing}`,
  sk: `affected#${cause}`,
});

/** How many things and notifications the incident of a storm stands for. */
export const stormKey = (incidentId: string): Key => ({
  pk: `incident#${incidentId}`,
  sk: 'affected',
});
