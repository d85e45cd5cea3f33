import { createHash } from 'node:crypto';
import { DeleteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { LOOK_SHARDS, lookKey } from '../../core/detection/detection-keys.ts';
import { type Look, type LookAt, LookBody, packLooks } from '../../core/detection/looks.ts';
import { type Key, sortableMs } from '../../core/keys.ts';
import { toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { Failure, RetryTools, TimeLeft } from '../retry.ts';
import { type Dynamo, keyOfItem, putAll } from '../tables.ts';

/** An entry whose time has come. */
export interface DueLook extends Look {
  readonly key: Key;
}

export type LookTable = ReturnType<typeof lookTable>;

/** The index of deadlines, in the table of the devices it is about. */
export const lookTable = (client: Dynamo, tableName: string, tools: RetryTools) => ({
  /** Enters devices; the same ones again are the same item. @returns the things that could not be entered */
  async enter(looks: readonly LookAt[], timeLeft: TimeLeft): Promise<readonly Failure<string>[]> {
    const puts = packLooks(looks).map((look) => {
      const { timers, things, shard, atMs } = look;
      const body = JSON.stringify({ timers, things });
      const id = createHash('sha256').update(body).digest('base64url').slice(0, 22);
      const key = lookKey(shard, atMs, id);
      return { key, look, item: toItem({ ...key, body }) };
    });
    const failures = await putAll(client, tableName, puts, tools, timeLeft);
    return failures.flatMap(({ item, reason }) =>
      Object.values(item.look.things)
        .flat()
        .map((thing) => ({ item: thing, reason })),
    );
  },

  /**
   * What is due, the longest overdue first, and no more than so much of each shard.
   *
   * @param unreadable  is told the keys of entries that make no sense
   */
  async due(
    nowMs: number,
    limit: number,
    unreadable: (key: Key) => void,
    timeLeft: TimeLeft,
  ): Promise<readonly DueLook[]> {
    const pages = await Promise.all(
      LOOK_SHARDS.map((shard) => {
        const query = new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk AND sk < :now',
          ExpressionAttributeValues: {
            ':pk': { S: shard },
            ':now': { S: `${sortableMs(nowMs)}$` },
          },
          Limit: limit,
          ConsistentRead: true,
        });
        return patiently(() => client.send(query), tools, timeLeft);
      }),
    );
    return pages.flatMap(({ Items = [] }, shard) =>
      Items.flatMap((item) => {
        const key = keyOfItem(item);
        const body = bodyOf(item['body']?.S);
        if (body === undefined) unreadable(key);
        return body === undefined
          ? []
          : [{ ...body, key, shard, atMs: Number(key.sk.slice(0, 15)) }];
      }),
    );
  },

  async leave(key: Key, timeLeft: TimeLeft): Promise<void> {
    const remove = new DeleteItemCommand({ TableName: tableName, Key: toItem({ ...key }) });
    await patiently(() => client.send(remove), tools, timeLeft);
  },
});

function bodyOf(text: string | undefined) {
  try {
    return LookBody.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}
