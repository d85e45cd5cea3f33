import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { affectedKey, openingsKey, stormKey } from '../../core/security/security-keys.ts';
import { toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';
import type { Dynamo } from '../tables.ts';
import { countOne } from './count-one.ts';

export type StormTable = ReturnType<typeof stormTable>;

const FORGOTTEN_AFTER_SECONDS = 86_400;

/** Things and notifications that the incident of a storm stands for. */
export interface Affected {
  readonly things: number;
  readonly notifications: number;
  readonly lastAtMs: number;
}

/** One thing's part in a storm. */
export interface AffectedThing {
  readonly thing: string;
  readonly cause: string;
  readonly stormId: string;
  /** Ids of notifications. */
  readonly ids: readonly string[];
}

/**
 * Of the table of incidents: things that share a cause with many others, counted without an incident of their own. No
 * write waits for another, so that a storm is no contention; what is there already is not counted again.
 */
export const stormTable = (client: Dynamo, tableName: string, tools: RetryTools) => ({
  /** Counts one more incident of a cause that opens within a window of time, and says the how-manieth it is. */
  countOpening: (
    cause: string,
    window: number,
    nowMs: number,
    timeLeft: TimeLeft,
  ): Promise<number> =>
    countOne(client, tableName, openingsKey(cause, window), nowMs, tools, timeLeft),

  /** Ids of notifications by which a storm has affected a thing, beginnings and ends; none when it has not. */
  async affectedBy(thing: string, cause: string, timeLeft: TimeLeft): Promise<ReadonlySet<string>> {
    const get = new GetItemCommand({
      TableName: tableName,
      Key: toItem({ ...affectedKey(thing, cause) }),
      ConsistentRead: true,
    });
    const { Item: item } = await patiently(() => client.send(get), tools, timeLeft);
    return new Set(item?.['ids']?.SS ?? []);
  },

  /** Adds notifications to what a storm did to a thing; those that are there already change nothing. */
  async affect(
    { thing, cause, stormId, ids }: AffectedThing,
    nowMs: number,
    timeLeft: TimeLeft,
  ): Promise<{ readonly isNew: boolean; readonly added: number }> {
    const update = new UpdateItemCommand({
      TableName: tableName,
      Key: toItem({ ...affectedKey(thing, cause) }),
      UpdateExpression: 'SET expiresAt = :end, incidentId = :storm ADD ids :ids',
      ExpressionAttributeValues: {
        ':end': { N: String(Math.ceil(nowMs / 1000) + FORGOTTEN_AFTER_SECONDS) },
        ':storm': { S: stormId },
        ':ids': { SS: [...new Set(ids)] },
      },
      ReturnValues: 'UPDATED_OLD',
    });
    const { Attributes } = await patiently(() => client.send(update), tools, timeLeft);
    const before = new Set(Attributes?.['ids']?.SS ?? []);
    const added = new Set(ids.filter((id) => !before.has(id))).size;
    return { isNew: before.size === 0, added };
  },

  /** @returns what the storm's incident stands for by now, and whether anybody has opened it */
  async countAffected(
    stormId: string,
    { things, notifications }: Omit<Affected, 'lastAtMs'>,
    nowMs: number,
    timeLeft: TimeLeft,
  ): Promise<boolean> {
    const update = new UpdateItemCommand({
      TableName: tableName,
      Key: toItem({ ...stormKey(stormId) }),
      UpdateExpression: 'SET lastAtMs = :now ADD things :things, notifications :notifications',
      ExpressionAttributeValues: {
        ':now': { N: String(nowMs) },
        ':things': { N: String(things) },
        ':notifications': { N: String(notifications) },
      },
      ReturnValues: 'ALL_NEW',
    });
    const { Attributes } = await patiently(() => client.send(update), tools, timeLeft);
    return Attributes?.['opened']?.BOOL === true;
  },

  /** Notes that the incident of a storm is open, or that it has ended and begins anew the next time. */
  async markStorm(stormId: string, opened: boolean, timeLeft: TimeLeft): Promise<void> {
    const update = new UpdateItemCommand({
      TableName: tableName,
      Key: toItem({ ...stormKey(stormId) }),
      UpdateExpression: 'SET opened = :opened',
      ExpressionAttributeValues: { ':opened': { BOOL: opened } },
    });
    await patiently(() => client.send(update), tools, timeLeft);
  },

  async affected(stormId: string, timeLeft: TimeLeft): Promise<Affected | undefined> {
    const get = new GetItemCommand({
      TableName: tableName,
      Key: toItem({ ...stormKey(stormId) }),
      ConsistentRead: true,
    });
    const { Item: item } = await patiently(() => client.send(get), tools, timeLeft);
    if (item === undefined) return undefined;
    const numberOf = (name: string): number => Number(item[name]?.N ?? 0);
    return {
      things: numberOf('things'),
      notifications: numberOf('notifications'),
      lastAtMs: numberOf('lastAtMs'),
    };
  },
});
