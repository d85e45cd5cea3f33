import type { Kind } from './names.ts';

/** The primary key of a table's item. `#` delimits: no name, kind, date, number or id holds one. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

const TIME_DIGITS = 15;
const DIRECTORY_BUCKETS = 64;

/** History by thing and day (UTC of the observation), in order of observation. */
export const historyKey = (thing: string, observedAtMs: number, id: string): Key => ({
  pk: `${thing}#${dayOf(observedAtMs)}`,
  sk: `${sortableMs(observedAtMs)}#${id}`,
});

/** The time first given to a reading whose device did not: see `record`. */
export const firstTimeKey = (thing: string, id: string): Key => ({
  pk: `${thing}#first-time`,
  sk: id,
});

export const latestKey = (thing: string, kind: Kind): Key => ({
  pk: `thing#${thing}`,
  sk: `latest#${kind}`,
});

export const profileKey = (thing: string): Key => ({ pk: `thing#${thing}`, sk: 'profile' });

/** Devices of a fleet, spread over buckets so that a large fleet heats no partition. */
export const directoryKey = (fleet: string, thing: string): Key => ({
  pk: directoryPartition(fleet, bucketOf(thing)),
  sk: thing,
});

/** All partitions over which a fleet's directory is spread: to list its devices, ask each of them. */
export const directoryPartitions = (fleet: string): readonly string[] =>
  Array.from({ length: DIRECTORY_BUCKETS }, (_, bucket) => directoryPartition(fleet, bucket));

const directoryPartition = (fleet: string, bucket: number): string =>
  `fleet#${fleet}#${String(bucket).padStart(2, '0')}`;

/** Milliseconds since the Unix epoch in 15 digits, so that text sorts as time does. */
export const sortableMs = (ms: number): string => String(ms).padStart(TIME_DIGITS, '0');

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** FNV-1a, 32 bits, its halves folded together: cheap, and even over names that differ in their last digits. */
function bucketOf(thing: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < thing.length; at += 1) {
    hash = Math.imul(hash ^ thing.charCodeAt(at), 0x01000193);
  }
  return ((hash >>> 16) ^ (hash & 0xffff)) % DIRECTORY_BUCKETS;
}
