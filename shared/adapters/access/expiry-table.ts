import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { expiryKey, PASS_KEY } from '../../core/access/access-keys.ts';
import { EXPIRY_COUNTS, type ExpiryCounts } from '../../core/access/expiry.ts';
import { toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';
import { type Dynamo, getAll, keyOfItem } from '../tables.ts';

/** How far the watch has come in the list of certificates. */
export interface Pass {
  readonly startedAtMs: number;
  /** Where the next page begins; none before the first. */
  readonly marker: string | undefined;
  readonly counts: ExpiryCounts;
}

const Row = z.object({
  startedAtMs: z.number(),
  marker: z.string().optional(),
  counts: z.object(EXPIRY_COUNTS),
});

export type ExpiryTable = ReturnType<typeof expiryTable>;

const FORGOTTEN_AFTER_SECONDS = 30 * 86_400;

/**
 * When certificates end, as far as it was asked for: the list of them does not say so, and asking for each every day
 * would take a large fleet longer than the day. A certificate's end never changes.
 */
export const expiryTable = (client: Dynamo, tableName: string, tools: RetryTools) => ({
  async known(ids: readonly string[], timeLeft: TimeLeft): Promise<ReadonlyMap<string, number>> {
    const idOf = new Map(ids.map((id) => [expiryKey(id).pk, id]));
    const { items, failures } = await getAll(
      client,
      tableName,
      [...idOf.values()].map(expiryKey),
      'notAfterMs',
      tools,
      timeLeft,
    );
    if (failures.length > 0) throw new Error(`${failures.length} certificates cannot be asked for`);
    return new Map(
      items.map((item) => [idOf.get(keyOfItem(item).pk) ?? '', Number(item['notAfterMs']?.N)]),
    );
  },

  async remember(id: string, notAfterMs: number, timeLeft: TimeLeft): Promise<void> {
    const expiresAt = Math.ceil(notAfterMs / 1000) + FORGOTTEN_AFTER_SECONDS;
    const Item = toItem({ ...expiryKey(id), notAfterMs, expiresAt });
    const put = new PutItemCommand({ TableName: tableName, Item });
    await patiently(() => client.send(put), tools, timeLeft);
  },

  async pass(timeLeft: TimeLeft): Promise<Pass | undefined> {
    const get = new GetItemCommand({
      TableName: tableName,
      Key: toItem({ ...PASS_KEY }),
      ConsistentRead: true,
    });
    const { Item } = await patiently(() => client.send(get), tools, timeLeft);
    if (Item === undefined) return undefined;
    const text = Item['pass']?.S ?? '';
    const { startedAtMs, marker, counts } = Row.parse(JSON.parse(text));
    return { startedAtMs, marker, counts };
  },

  async savePass(pass: Pass, timeLeft: TimeLeft): Promise<void> {
    const Item = toItem({ ...PASS_KEY, pass: JSON.stringify(pass) });
    const put = new PutItemCommand({ TableName: tableName, Item });
    await patiently(() => client.send(put), tools, timeLeft);
  },

  async endPass(timeLeft: TimeLeft): Promise<void> {
    const remove = new DeleteItemCommand({
      TableName: tableName,
      Key: toItem({ ...PASS_KEY }),
    });
    await patiently(() => client.send(remove), tools, timeLeft);
  },
});
