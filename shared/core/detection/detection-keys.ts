import { createHash } from 'node:crypto';
import { type Key, sortableMs } from '../keys.ts';
import { DEADLINE_SHARDS, deadlineShard } from './pulse.ts';

/** Of the table `anomalies`: those of a thing, in the order they opened. */
export const anomalyKey = ({
  thing,
  openedAtMs,
  id,
}: {
  readonly thing: string;
  readonly openedAtMs: number;
  readonly id: string;
}): Key => ({ pk: `thing#${thing}`, sk: `${sortableMs(openedAtMs)}#${digestOf(id)}` });

/** Ids hold names of metrics, percent-encoded: longer than a sort key may be (1,024 bytes). */
const digestOf = (id: string): string =>
  createHash('sha256').update(id).digest('base64url').slice(0, 22);

/**
 * The key that an id stands for.
 *
 * @param id  of an anomaly: its first part is the thing, its last the time of opening in base 36
 * @returns   none for a text that is no id
 */
export function anomalyKeyOf(id: string): Key | undefined {
  const parts = id.split('/');
  const [thing = '', , , opened = ''] = parts;
  const openedAtMs = Number.parseInt(opened, 36);
  if (parts.length !== 4 || !/^[A-Za-z0-9_-]+$/.test(thing)) return undefined;
  if (!Number.isSafeInteger(openedAtMs) || openedAtMs.toString(36) !== opened) return undefined;
  return anomalyKey({ thing, openedAtMs, id });
}

/** Hash key of the index `byFleet`, whose range key is that of the table. */
export const fleetStateOf = (fleet: string, state: 'open' | 'closed'): string =>
  `${fleet}#${state}`;

/** Of the table `detection-settings`: all that is set in a fleet is one query. */
export const settingsPartition = (fleet: string): string => `fleet#${fleet}`;

/** Of the table `detection`: what changes with each batch, and what changes about once a day. Things hold no `#`. */
export const hotKey = (thing: string): Key => ({ pk: thing, sk: 'hot' });
export const coldKey = (thing: string): Key => ({ pk: thing, sk: 'cold' });

const shardName = (shard: number): string => String(shard).padStart(2, '0');

/** Hash key of the index `pending`: devices with something to publish, and no others. */
export const pendingShard = (thing: string): string => `pending#${shardName(deadlineShard(thing))}`;

/** When devices are to be looked at, in the order of time. */
export const lookKey = (shard: number, atMs: number, id: string): Key => ({
  pk: `look#${shardName(shard)}`,
  sk: `${sortableMs(atMs)}#${id}`,
});

/** All shards of the two. */
export const PENDING_SHARDS: readonly string[] = Array.from(
  { length: DEADLINE_SHARDS },
  (_, shard) => `pending#${shardName(shard)}`,
);
export const LOOK_SHARDS: readonly string[] = Array.from(
  { length: DEADLINE_SHARDS },
  (_, shard) => `look#${shardName(shard)}`,
);

/** How far each shard of the stream was read, and the outages that were seen. */
export const INGESTION_PARTITION = 'ingestion#';
