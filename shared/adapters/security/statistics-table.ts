import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { bucketOf, type Histogram } from '../../core/security/histogram.ts';
import { statisticKey } from '../../core/security/security-keys.ts';
import type { Datapoint } from '../../core/security/watch.ts';
import { TtlCache } from '../../core/ttl-cache.ts';
import { toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';
import type { Dynamo } from '../tables.ts';

export type StatisticsTable = ReturnType<typeof statisticsTable>;

const WEEK_MS = 7 * 86_400_000;
const REMEMBERED_MS = 60_000;
const REMEMBERED = 1_000;
const FORGOTTEN_AFTER_SECONDS = 21 * 86_400;

/**
 * What the devices of a fleet do, as histograms by week. A batch that is replayed adds its datapoints again: a
 * statistic of thousands is not moved by that, and alarms do not depend on it being exact.
 */
export const statisticsTable = (
  client: Dynamo,
  tableName: string,
  tools: RetryTools,
  now: () => number,
) => {
  const cache = new TtlCache<string, Histogram>(REMEMBERED, REMEMBERED_MS);
  const weekOf = (ms: number): number => Math.floor(ms / WEEK_MS);

  const read = async (fleet: string, key: string, week: number, timeLeft: TimeLeft) => {
    const get = new GetItemCommand({
      TableName: tableName,
      Key: toItem({ ...statisticKey(fleet, key, week) }),
    });
    const { Item = {} } = await patiently(() => client.send(get), tools, timeLeft);
    return Object.entries(Item).flatMap(([name, { N }]): [number, number][] =>
      /^b\d+$/.test(name) && N !== undefined ? [[Number(name.slice(1)), Number(N)]] : [],
    );
  };

  return {
    /** This week and the last together. */
    async histogram(fleet: string, key: string, timeLeft: TimeLeft): Promise<Histogram> {
      const nowMs = now();
      const known = cache.get(`${fleet}/${key}`, nowMs);
      if (known !== undefined) return known;
      const histogram = new Map<number, number>();
      for (const week of [weekOf(nowMs) - 1, weekOf(nowMs)]) {
        for (const [bucket, count] of await read(fleet, key, week, timeLeft)) {
          histogram.set(bucket, (histogram.get(bucket) ?? 0) + count);
        }
      }
      cache.set(`${fleet}/${key}`, histogram, nowMs);
      return histogram;
    },

    async add(fleet: string, datapoints: readonly Datapoint[], timeLeft: TimeLeft): Promise<void> {
      const nowMs = now();
      for (const key of new Set(datapoints.map((one) => one.key))) {
        const counts = new Map<number, number>();
        for (const { count } of datapoints.filter((one) => one.key === key)) {
          counts.set(bucketOf(count), (counts.get(bucketOf(count)) ?? 0) + 1);
        }
        const buckets = [...counts];
        const update = new UpdateItemCommand({
          TableName: tableName,
          Key: toItem({ ...statisticKey(fleet, key, weekOf(nowMs)) }),
          UpdateExpression: `SET expiresAt = :end ADD ${buckets.map((_, at) => `#b${at} :n${at}`).join(', ')}`,
          ExpressionAttributeNames: Object.fromEntries(
            buckets.map(([bucket], at) => [`#b${at}`, `b${bucket}`]),
          ),
          ExpressionAttributeValues: {
            ':end': { N: String(Math.ceil(nowMs / 1000) + FORGOTTEN_AFTER_SECONDS) },
            ...Object.fromEntries(
              buckets.map(([, count], at) => [`:n${at}`, { N: String(count) }]),
            ),
          },
        });
        await patiently(() => client.send(update), tools, timeLeft);
      }
    },
  };
};
