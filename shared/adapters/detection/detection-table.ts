import { gunzipSync, gzipSync } from 'node:zlib';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { AnomalyRecord } from '../../core/detection/anomaly-record.ts';
import {
  coldKey,
  hotKey,
  PENDING_SHARDS,
  pendingShard,
} from '../../core/detection/detection-keys.ts';
import { Detectors } from '../../core/detection/detectors.ts';
import { packDevice, unpackDevice } from '../../core/detection/device-bytes.ts';
import { packProgress, unpackProgress } from '../../core/detection/progress.ts';
import { NEVER_WATCHED, type Watched } from '../../core/detection/watched.ts';
import { type Item, toItem } from '../attributes.ts';
import { itemBytes, unitsOf } from '../item-size.ts';
import { patiently } from '../patiently.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from '../retry.ts';
import { type Dynamo, getAll, keyOfItem } from '../tables.ts';

/** What is kept of a device. */
export interface KeptDevice {
  readonly watched: Watched;
  /** Anomalies that may not have been published yet. */
  readonly outbox: readonly AnomalyRecord[];
  /** When the oldest of them was put there. */
  readonly outboxSinceMs: number;
  /** How often it was written; 0 where it never was. */
  readonly revision: number;
  /** Metrics as they are stored, in the order of their tracks. */
  readonly names: readonly string[];
  /** What could not be read and began anew, for the log. */
  readonly lost: readonly string[];
}

const NEVER_KEPT: KeptDevice = {
  watched: NEVER_WATCHED,
  outbox: [],
  outboxSinceMs: 0,
  revision: 0,
  names: [],
  lost: [],
};

/** What became of a save: somebody else may have moved the device on meanwhile, and it has to be read again. */
export type Saved =
  | { readonly outcome: 'saved'; readonly kept: KeptDevice }
  | { readonly outcome: 'moved' }
  | { readonly outcome: 'failed'; readonly reason: string };

const Names = z.array(z.string());
const Outbox = z.object({ sinceMs: z.number(), records: z.array(AnomalyRecord) });

const DAY_S = 86_400;
/** A device that was not heard of for so long begins anew. */
const FORGOTTEN_AFTER_S = 90 * DAY_S;
/** Longer texts are worth packing. */
const PLAIN_CHARS = 256;
const PENDING = 'pending';

export type DetectionTable = ReturnType<typeof detectionTable>;

/**
 * What devices are watched by. Attributes have short names, as they are paid for with each write: `d` the state's hot
 * part, `p` the progress, `r` the revision, `o` what is open, `m` detectors, `i` whether the index of deadlines holds
 * the device, `x` the outbox.
 */
export const detectionTable = (
  client: Dynamo,
  tableName: string,
  tools: RetryTools,
  now: () => number,
) => {
  const expiresAt = (): number =>
    (Math.ceil(now() / 1000 / DAY_S) + FORGOTTEN_AFTER_S / DAY_S) * DAY_S;

  /** The part that is written about once a day, before the part that relies on it. */
  const saveCold = async (
    thing: string,
    names: readonly string[] | undefined,
    cold: Uint8Array | undefined,
    revision: number,
    timeLeft: TimeLeft,
  ): Promise<void> => {
    const fields: Item = {
      r: { N: String(revision + 1) },
      expiresAt: { N: String(expiresAt()) },
      ...(names === undefined ? {} : { n: packText(JSON.stringify(names)) }),
      ...(cold === undefined ? {} : { c: { B: cold } }),
    };
    const attributes = Object.keys(fields);
    const update = new UpdateItemCommand({
      TableName: tableName,
      Key: toItem({ ...coldKey(thing) }),
      UpdateExpression: `SET ${attributes.map((name) => `#${name} = :${name}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(attributes.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(
        attributes.map((name) => [`:${name}`, fields[name] ?? { NULL: true }]),
      ),
      // its own repetition passes, who was overtaken does not
      ConditionExpression: 'attribute_not_exists(pk) OR #r <= :r',
    });
    await patiently(() => client.send(update), tools, timeLeft);
  };

  const hotItem = (thing: string, next: Written): Item => {
    const { packed, watched, outbox, outboxSinceMs, revision } = next;
    const item: Item = {
      ...toItem({ ...hotKey(thing), r: revision, expiresAt: expiresAt() }),
      d: { B: packed.hot },
      o: packOpen(packed.open),
      ...(watched.indexed ? { i: { BOOL: true } } : {}),
      ...(Object.keys(watched.detectors).length > 0
        ? { m: packText(JSON.stringify(watched.detectors)) }
        : {}),
      ...(outbox.length > 0
        ? {
            x: packText(JSON.stringify({ sinceMs: outboxSinceMs, records: outbox })),
            [PENDING]: { S: pendingShard(thing) },
          }
        : {}),
    };
    const taken = itemBytes(item) + 1;
    const { progress } = watched;
    const least = taken + packProgress(progress, 0).length;
    item['p'] = { B: packProgress(progress, unitsOf(least) * 1024 - taken) };
    return item;
  };

  const putHot = async (
    thing: string,
    item: Item,
    revision: number,
    timeLeft: TimeLeft,
  ): Promise<readonly Failure<string>[]> => {
    const put = new PutItemCommand({
      TableName: tableName,
      Item: item,
      ConditionExpression: revision === 0 ? 'attribute_not_exists(r)' : 'r = :r',
      ...(revision === 0 ? {} : { ExpressionAttributeValues: { ':r': { N: String(revision) } } }),
    });
    const once = async (): Promise<Failure<string>[]> => {
      await client.send(put);
      return [];
    };
    return sendAll([thing], once, tools, timeLeft);
  };

  return {
    /** A device never heard of is new; one that could not be asked for is among the failures. */
    async load(
      things: readonly string[],
      timeLeft: TimeLeft,
    ): Promise<{
      readonly kept: ReadonlyMap<string, KeptDevice>;
      readonly failures: readonly Failure<string>[];
    }> {
      const keys = things.flatMap((thing) => [hotKey(thing), coldKey(thing)]);
      const { items, failures } = await getAll(client, tableName, keys, undefined, tools, timeLeft);
      const parts = Map.groupBy(items, (item) => keyOfItem(item).pk);
      const part = (thing: string, sk: string) =>
        parts.get(thing)?.find((item) => keyOfItem(item).sk === sk);
      return {
        kept: new Map(
          things.map((thing) => [thing, readKept(part(thing, 'hot'), part(thing, 'cold'))]),
        ),
        failures: failures.map(({ item, reason }) => ({ item: item.pk, reason })),
      };
    },

    /** Of each device only what looking after it takes: no metrics, no profiles. */
    async peek(
      things: readonly string[],
      timeLeft: TimeLeft,
    ): Promise<{
      readonly known: ReadonlyMap<string, Watched>;
      readonly failures: readonly Failure<string>[];
    }> {
      const { items, failures } = await getAll(
        client,
        tableName,
        things.map(hotKey),
        ['d', 'o', 'm', 'i'],
        tools,
        timeLeft,
      );
      return {
        known: new Map(
          items.map((item) => [keyOfItem(item).pk, readKept(item, undefined).watched]),
        ),
        failures: failures.map(({ item, reason }) => ({ item: item.pk, reason })),
      };
    },

    /** Moves a device on, if it still is as it was read. */
    async save(
      thing: string,
      before: KeptDevice,
      watched: Watched,
      outbox: readonly AnomalyRecord[],
      timeLeft: TimeLeft,
    ): Promise<Saved> {
      const packed = packDevice(watched.device);
      const outboxSinceMs = before.outbox.length > 0 ? before.outboxSinceMs : now();
      const revision = before.revision + 1;
      const named = isSame(before.names, packed.names) ? undefined : packed.names;
      const written = { packed, watched, outbox, outboxSinceMs, revision };
      try {
        if (named !== undefined || packed.cold !== undefined) {
          await saveCold(thing, named, packed.cold, before.revision, timeLeft);
        }
        const [failure] = await putHot(thing, hotItem(thing, written), before.revision, timeLeft);
        if (failure !== undefined) return { outcome: 'failed', reason: failure.reason };
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return { outcome: 'moved' };
        throw error;
      }
      const device = { ...watched.device, coldDue: false };
      const { names } = packed;
      return {
        outcome: 'saved',
        kept: { watched: { ...watched, device }, outbox, outboxSinceMs, revision, names, lost: [] },
      };
    },

    /** Devices that have something to publish, of all shards. */
    async pending(timeLeft: TimeLeft): Promise<readonly string[]> {
      const pages = await Promise.all(
        PENDING_SHARDS.map((shard) => {
          const query = new QueryCommand({
            TableName: tableName,
            IndexName: PENDING,
            KeyConditionExpression: '#p = :p',
            ExpressionAttributeNames: { '#p': PENDING },
            ExpressionAttributeValues: { ':p': { S: shard } },
          });
          return patiently(() => client.send(query), tools, timeLeft);
        }),
      );
      return pages.flatMap(({ Items = [] }) => Items.map((item) => keyOfItem(item).pk));
    },
  };
};

interface Written {
  readonly packed: ReturnType<typeof packDevice>;
  readonly watched: Watched;
  readonly outbox: readonly AnomalyRecord[];
  readonly outboxSinceMs: number;
  readonly revision: number;
}

/** Never fails: what cannot be read begins anew, and is named. */
function readKept(hot: Item | undefined, cold: Item | undefined): KeptDevice {
  if (hot === undefined) return NEVER_KEPT;
  const lost: string[] = [];
  const names = readJson(cold?.['n'], Names, 'names', lost) ?? [];
  const { state, lost: ofState } = unpackDevice({
    hot: hot['d']?.B ?? new Uint8Array(),
    names,
    cold: cold?.['c']?.B,
    open: unpackOpen(unpackText(hot['o']) ?? ''),
  });
  const progress = unpackProgress(hot['p']?.B ?? new Uint8Array());
  if (progress === undefined) lost.push('device: progress');
  const outbox = readJson(hot['x'], Outbox, 'device: outbox', lost);
  const detectors = readJson(hot['m'], Detectors, 'device: detectors', lost);
  return {
    watched: {
      device: state ?? NEVER_WATCHED.device,
      progress: progress ?? NEVER_WATCHED.progress,
      detectors: detectors ?? {},
      indexed: hot['i']?.BOOL ?? false,
    },
    outbox: outbox?.records ?? [],
    outboxSinceMs: outbox?.sinceMs ?? 0,
    revision: Number(hot['r']?.N ?? 0),
    names,
    lost: [...lost, ...ofState],
  };
}

function readJson<Output>(
  value: AttributeValue | undefined,
  schema: z.ZodType<Output>,
  what: string,
  lost: string[],
): Output | undefined {
  if (value === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(unpackText(value) ?? ''));
  } catch {
    lost.push(what);
    return undefined;
  }
}

const ONLY_CONNECTIONS = /^\{"now":"([^"\\]*)","other":"([^"\\]*)"\}$/;

/** Nearly always there is nothing open, and only whence the device speaks: two texts, without what makes them JSON. */
function packOpen(open: string): AttributeValue {
  const [, now, other] = ONLY_CONNECTIONS.exec(open) ?? [];
  return now === undefined ? packText(open) : { S: `${now}\n${other}` };
}

function unpackOpen(text: string): string {
  if (!text.includes('\n')) return text;
  const [now, other] = text.split('\n');
  return JSON.stringify({ now, other });
}

const packText = (text: string): AttributeValue =>
  text.length <= PLAIN_CHARS ? { S: text } : { B: gzipSync(text) };

/** @returns none for what is neither, or damaged */
function unpackText(value: AttributeValue | undefined): string | undefined {
  if (value?.B === undefined) return value?.S;
  try {
    return gunzipSync(value.B).toString();
  } catch {
    return undefined;
  }
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((name, at) => name === other[at]);
