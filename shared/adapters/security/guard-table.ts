import { createHash } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import {
  type DeviceState,
  decodeState,
  encodeState,
  NEW_DEVICE,
} from '../../core/security/device-state.ts';
import { Finding } from '../../core/security/finding.ts';
import { thingWatched, watchedKey } from '../../core/security/security-keys.ts';
import { type Item, toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from '../retry.ts';
import { type Dynamo, getAll, keyOfItem } from '../tables.ts';

/** What is kept of a device, and findings that may not have been published yet. */
export interface Kept {
  readonly state: DeviceState;
  readonly unpublished: readonly Finding[];
}

const Row = z.tuple([z.string(), z.array(Finding)]);

export type GuardTable = ReturnType<typeof guardTable>;

/** Devices in alarm, or with findings that did not get out, are found by an index that spreads over so many keys. */
export const DUE_BUCKETS = 16;
const DUE_INDEX = 'due';
const PAGE = 100;

/** A device that was not heard of for so long begins anew. */
const FORGOTTEN_AFTER_SECONDS = 14 * 86_400;

/**
 * State of each device that is watched, with its findings in the same item: so a finding is recorded exactly when the
 * state that led to it is, and a container that dies in between has lost neither.
 */
export const guardTable = (client: Dynamo, tableName: string, tools: RetryTools) => ({
  /** A device never heard of is new; one that could not be asked for is among the failures. */
  async load(
    things: readonly string[],
    timeLeft: TimeLeft,
  ): Promise<{
    readonly kept: ReadonlyMap<string, Kept>;
    readonly failures: readonly Failure<string>[];
  }> {
    const kept = new Map<string, Kept>(
      things.map((thing) => [thing, { state: NEW_DEVICE, unpublished: [] }]),
    );
    const thingOf = new Map(things.map((thing) => [watchedKey(thing).pk, thing]));
    const { items, failures } = await getAll(
      client,
      tableName,
      [...thingOf.values()].map(watchedKey),
      'kept',
      tools,
      timeLeft,
    );
    for (const item of items) {
      const [state, unpublished] = Row.parse(JSON.parse(item['kept']?.S ?? ''));
      const thing = thingOf.get(keyOfItem(item).pk) ?? '';
      kept.set(thing, { state: decodeState(state), unpublished });
    }
    return {
      kept,
      failures: failures.map(({ item, reason }) => ({ item: thingOf.get(item.pk) ?? '', reason })),
    };
  },

  /** Devices of one bucket that somebody waits for, and that were not heard of since, page by page; the longest first. */
  async *silent(
    bucket: number,
    sinceMs: number,
    timeLeft: TimeLeft,
  ): AsyncGenerator<readonly string[]> {
    let from: Item | undefined;
    do {
      const query = new QueryCommand({
        TableName: tableName,
        IndexName: DUE_INDEX,
        KeyConditionExpression: 'due = :due AND latestMs < :since',
        ExpressionAttributeValues: {
          ':due': { S: `due#${bucket}` },
          ':since': { N: String(sinceMs) },
        },
        Limit: PAGE,
        ExclusiveStartKey: from,
      });
      const { Items = [], LastEvaluatedKey } = await patiently(
        () => client.send(query),
        tools,
        timeLeft,
      );
      if (Items.length > 0) yield Items.map((item) => thingWatched(keyOfItem(item)));
      from = LastEvaluatedKey;
    } while (from !== undefined);
  },

  /**
   * Moves a device on, unless somebody else has.
   *
   * @param before  `upTo` of the state it was moved on from
   * @returns       why it was not moved on
   */
  async save(
    thing: string,
    { state, unpublished }: Kept,
    before: string,
    nowMs: number,
    timeLeft: TimeLeft,
  ): Promise<readonly Failure<string>[]> {
    const put = new PutItemCommand({
      TableName: tableName,
      Item: toItem({
        ...watchedKey(thing),
        upTo: state.upTo,
        kept: JSON.stringify([encodeState(state), unpublished]),
        expiresAt: Math.ceil(nowMs / 1000) + FORGOTTEN_AFTER_SECONDS,
        ...(isDue({ state, unpublished })
          ? { due: `due#${bucketOf(thing)}`, latestMs: state.latestMs }
          : {}),
      }),
      ConditionExpression: before === '' ? 'attribute_not_exists(pk)' : 'upTo = :before',
      ...(before === '' ? {} : { ExpressionAttributeValues: { ':before': { S: before } } }),
    });
    const once = async (): Promise<Failure<string>[]> => {
      await client.send(put);
      return [];
    };
    try {
      return await sendAll([thing], once, tools, timeLeft);
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return [{ item: thing, reason: 'another container has moved it on' }];
    }
  },
});

const isDue = ({ state, unpublished }: Kept): boolean =>
  unpublished.length > 0 || [...state.progress.values()].some(({ alarm }) => alarm !== undefined);

const bucketOf = (thing: string): number =>
  (createHash('sha256').update(thing).digest()[0] ?? 0) % DUE_BUCKETS;
