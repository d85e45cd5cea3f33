import {
  ConditionalCheckFailedException,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { AnomalyRecord } from '../../core/detection/anomaly-record.ts';
import { anomalyKey, anomalyKeyOf, fleetStateOf } from '../../core/detection/detection-keys.ts';
import type { Key } from '../../core/keys.ts';
import { type Item, toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';
import type { Dynamo } from '../tables.ts';

const BY_FLEET = 'byFleet';

/** Which anomalies: of a thing, of a fleet, or of all; open, closed, or both. */
export interface AnomalyQuery {
  readonly thing?: string;
  readonly fleet?: string;
  readonly state?: 'open' | 'closed';
  /** The newest so many; 100 unless told. */
  readonly limit?: number;
}

export type AnomalyTable = ReturnType<typeof anomalyTable>;

/** Anomalies, an item each: what is found is kept in `body`, what people add to it beside, so that neither undoes the other. */
export const anomalyTable = (client: Dynamo, tableName: string, tools: RetryTools) => {
  const query = async (
    input: Omit<QueryCommandInput, 'TableName'>,
    limit: number,
    timeLeft: TimeLeft,
  ): Promise<AnomalyRecord[]> => {
    const records: AnomalyRecord[] = [];
    let from: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: tableName,
        ScanIndexForward: false,
        Limit: Math.min(limit, 100),
        ExclusiveStartKey: from,
        ...input,
      });
      const { Items = [], LastEvaluatedKey } = await patiently(
        () => client.send(command),
        tools,
        timeLeft,
      );
      records.push(...Items.map(recordOfItem));
      from = LastEvaluatedKey;
    } while (from !== undefined && records.length < limit);
    return records.slice(0, limit);
  };

  const ofFleet = (
    fleet: string,
    state: 'open' | 'closed',
    limit: number,
    timeLeft: TimeLeft,
  ): Promise<AnomalyRecord[]> =>
    query(
      {
        IndexName: BY_FLEET,
        KeyConditionExpression: 'fleetState = :f',
        ExpressionAttributeValues: { ':f': { S: fleetStateOf(fleet, state) } },
      },
      limit,
      timeLeft,
    );

  const scan = async (timeLeft: TimeLeft): Promise<AnomalyRecord[]> => {
    const records: AnomalyRecord[] = [];
    let from: Item | undefined;
    do {
      const command = new ScanCommand({ TableName: tableName, ExclusiveStartKey: from });
      const page = await patiently(() => client.send(command), tools, timeLeft);
      records.push(...(page.Items ?? []).map(recordOfItem));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return records;
  };

  /** @returns false when the condition does not hold */
  const update = async (
    key: Key,
    fields: Readonly<Record<string, string | number | undefined>>,
    condition: string,
    values: Item,
    timeLeft: TimeLeft,
  ): Promise<boolean> => {
    const names = Object.keys(fields);
    const set = names.filter((name) => fields[name] !== undefined);
    const removed = names.filter((name) => fields[name] === undefined);
    const clause = (word: string, parts: readonly string[]) =>
      parts.length === 0 ? [] : [`${word} ${parts.join(', ')}`];
    const command = new UpdateItemCommand({
      TableName: tableName,
      Key: toItem({ ...key }),
      UpdateExpression: [
        ...clause(
          'SET',
          set.map((name) => `#${name} = :${name}`),
        ),
        ...clause(
          'REMOVE',
          removed.map((name) => `#${name}`),
        ),
      ].join(' '),
      ConditionExpression: condition,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...Object.fromEntries(
          Object.entries(toItem({ ...fields })).map(([name, value]) => [`:${name}`, value]),
        ),
        ...values,
      },
    });
    try {
      await patiently(() => client.send(command), tools, timeLeft);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  return {
    /**
     * Records an anomaly, unless this version of it or a later one is recorded.
     *
     * @param expiresAtMs  when it is forgotten; none while it is open
     * @returns            whether it was new
     */
    record(
      record: AnomalyRecord,
      expiresAtMs: number | undefined,
      timeLeft: TimeLeft,
    ): Promise<boolean> {
      const { thing, fleet, state, kind, version } = record;
      return update(
        anomalyKey(record),
        {
          version,
          thing,
          kind,
          fleetState: fleetStateOf(fleet, state),
          body: JSON.stringify(record),
          expiresAt: expiresAtMs === undefined ? undefined : Math.ceil(expiresAtMs / 1000),
        },
        'attribute_not_exists(pk) OR #version < :version',
        {},
        timeLeft,
      );
    },

    async get(id: string, timeLeft: TimeLeft): Promise<AnomalyRecord | undefined> {
      const key = anomalyKeyOf(id);
      if (key === undefined) return undefined;
      const get = new GetItemCommand({
        TableName: tableName,
        Key: toItem({ ...key }),
        ConsistentRead: true,
      });
      const { Item } = await patiently(() => client.send(get), tools, timeLeft);
      return Item === undefined ? undefined : recordOfItem(Item);
    },

    /** The newest first. Without thing and fleet it reads the whole table: for people, not for functions. */
    async list(
      { thing, fleet, state, limit = 100 }: AnomalyQuery,
      timeLeft: TimeLeft,
    ): Promise<readonly AnomalyRecord[]> {
      const fits = (record: AnomalyRecord): boolean =>
        (state === undefined || record.state === state) &&
        (fleet === undefined || record.fleet === fleet);
      const newest = (records: readonly AnomalyRecord[]) =>
        records
          .filter(fits)
          .sort((one, other) => other.openedAtMs - one.openedAtMs)
          .slice(0, limit);
      if (thing !== undefined) {
        const all = await query(
          {
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': { S: `thing#${thing}` } },
          },
          state === undefined ? limit : Number.POSITIVE_INFINITY,
          timeLeft,
        );
        return newest(all);
      }
      if (fleet === undefined) return newest(await scan(timeLeft));
      const states = state === undefined ? (['open', 'closed'] as const) : [state];
      const lists = await Promise.all(states.map((one) => ofFleet(fleet, one, limit, timeLeft)));
      return newest(lists.flat());
    },

    /** Notes that somebody has seen it. @returns false where there is no such anomaly */
    async acknowledge(
      id: string,
      { by, atMs }: { readonly by: string; readonly atMs: number },
      timeLeft: TimeLeft,
    ): Promise<boolean> {
      const key = anomalyKeyOf(id);
      if (key === undefined) return false;
      const fields = { acknowledgedBy: by, acknowledgedAtMs: atMs };
      return update(key, fields, 'attribute_exists(pk)', {}, timeLeft);
    },
  };
};

function recordOfItem(item: Item): AnomalyRecord {
  const record = AnomalyRecord.parse(JSON.parse(item['body']?.S ?? 'null'));
  const by = item['acknowledgedBy']?.S;
  if (by === undefined) return record;
  return {
    ...record,
    acknowledgedBy: by,
    acknowledgedAtMs: Number(item['acknowledgedAtMs']?.N),
  };
}
