import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { settingsPartition } from '../../core/detection/detection-keys.ts';
import {
  DetectionSetting,
  type FleetSettings,
  fleetSettings,
  settingSortKey,
} from '../../core/detection/settings.ts';
import { TtlCache } from '../../core/ttl-cache.ts';
import { type Item, toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';
import type { Dynamo } from '../tables.ts';

const FLEETS_LIMIT = 1_000;
/** How long a change of settings may take until it holds. */
export const SETTINGS_AGE_MS = 60_000;

/** What is muted: a thing, a type or a whole fleet; one metric of it, or all. */
export interface Muted {
  readonly fleet: string;
  readonly thing?: string;
  readonly type?: string;
  readonly metric?: string;
}

export type DetectionSettingsTable = ReturnType<typeof detectionSettingsTable>;

/** What people have set about detection, an item each. */
export const detectionSettingsTable = (client: Dynamo, tableName: string, tools: RetryTools) => {
  const keyOf = (setting: DetectionSetting) => ({
    pk: settingsPartition(setting.fleet),
    sk: settingSortKey(setting),
  });

  const put = async (setting: DetectionSetting, timeLeft: TimeLeft): Promise<void> => {
    const Item = toItem({
      ...keyOf(setting),
      body: JSON.stringify(DetectionSetting.parse(setting)),
    });
    const command = new PutItemCommand({ TableName: tableName, Item });
    await patiently(() => client.send(command), tools, timeLeft);
  };

  const read = async (
    setting: DetectionSetting,
    timeLeft: TimeLeft,
  ): Promise<DetectionSetting | undefined> => {
    const command = new GetItemCommand({
      TableName: tableName,
      Key: toItem(keyOf(setting)),
      ConsistentRead: true,
    });
    const { Item } = await patiently(() => client.send(command), tools, timeLeft);
    return Item === undefined ? undefined : DetectionSetting.parse(bodyOf(Item));
  };

  return {
    put,

    async remove(setting: DetectionSetting, timeLeft: TimeLeft): Promise<void> {
      const command = new DeleteItemCommand({ TableName: tableName, Key: toItem(keyOf(setting)) });
      await patiently(() => client.send(command), tools, timeLeft);
    },

    /** Says nothing of it until then; what else is set there stays. */
    async mute(
      muted: Muted,
      untilMs: number,
      { by, atMs }: { readonly by: string; readonly atMs: number },
      timeLeft: TimeLeft,
    ): Promise<void> {
      const blank: DetectionSetting = { what: 'options', ...muted, options: {} };
      const known = await read(blank, timeLeft);
      const options = known?.what === 'options' ? known.options : {};
      const next = { ...blank, options: { ...options, mutedUntilMs: untilMs }, by, atMs };
      await put(next, timeLeft);
    },

    /** All that is set in a fleet; what cannot be read is named, and does not count. */
    async load(
      fleet: string,
      timeLeft: TimeLeft,
    ): Promise<{
      readonly settings: readonly DetectionSetting[];
      readonly unreadable: readonly string[];
    }> {
      const settings: DetectionSetting[] = [];
      const unreadable: string[] = [];
      let from: Item | undefined;
      do {
        const command = new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: settingsPartition(fleet) } },
          ExclusiveStartKey: from,
        });
        const { Items = [], LastEvaluatedKey } = await patiently(
          () => client.send(command),
          tools,
          timeLeft,
        );
        for (const item of Items) {
          const result = DetectionSetting.safeParse(bodyOf(item));
          if (result.success) settings.push(result.data);
          else unreadable.push(problemOf(item, result.error.issues[0]));
        }
        from = LastEvaluatedKey;
      } while (from !== undefined);
      return { settings, unreadable };
    },
  };
};

function bodyOf(item: Item): unknown {
  try {
    return JSON.parse(item['body']?.S ?? '');
  } catch {
    return undefined;
  }
}

const problemOf = (
  item: Item,
  issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined,
): string => `${item['sk']?.S ?? ''}: ${issue?.path.map(String).join('.')}: ${issue?.message}`;

/**
 * Settings of fleets, remembered for a minute by each container.
 *
 * @param complain  is told what of a fleet's settings cannot be read, each time they are
 */
export const settingsDirectory = (
  table: Pick<DetectionSettingsTable, 'load'>,
  now: () => number,
  complain: (fleet: string, problems: readonly string[]) => void,
) => {
  const cache = new TtlCache<string, FleetSettings>(FLEETS_LIMIT, SETTINGS_AGE_MS);
  return {
    async of(fleet: string, timeLeft: TimeLeft): Promise<FleetSettings> {
      const nowMs = now();
      const known = cache.get(fleet, nowMs);
      if (known !== undefined) return known;
      const { settings, unreadable } = await table.load(fleet, timeLeft);
      const fresh = fleetSettings(settings, unreadable);
      if (fresh.problems.length > 0) complain(fleet, fresh.problems);
      cache.set(fleet, fresh, nowMs);
      return fresh;
    },
  };
};
