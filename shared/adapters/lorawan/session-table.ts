import { ConditionalCheckFailedException, PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { Key } from '../../core/keys.ts';
import { mergeSessions, Sessions } from '../../core/lorawan/sessions.ts';
import { isAfter } from '../../core/sequence-number.ts';
import { type Item, toItem } from '../attributes.ts';
import { inParallel } from '../chunks.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from '../retry.ts';
import { type Dynamo, getAll, keyOfItem, keyText } from '../tables.ts';

/** Single puts in flight. */
const WIDTH = 16;
const CONFLICTS_LIMIT = 5;
const KEPT_DAYS = 400;
const DAY_S = 86_400;

export type SessionTable = ReturnType<typeof sessionTable>;

/** A device's sessions, and which state of the table they are. */
export interface HeldSessions {
  readonly sessions: Sessions;
  /** How often they were written; 0 where they never were. */
  readonly revision: number;
  /** Sequence number of the last record on the stream that they cover. */
  readonly upTo?: string;
}

export const NO_SESSIONS: HeldSessions = { sessions: [], revision: 0 };

export interface Change extends HeldSessions {
  readonly device: string;
}

/** Which frames of which session each device has sent: one item a device, one write a device and batch. */
export const sessionTable = (
  client: Dynamo,
  tableName: string,
  tools: RetryTools,
  now: () => number,
) => {
  const load = async (devices: readonly string[], timeLeft: TimeLeft) => {
    const names = new Map(devices.map((device) => [keyText(sessionKey(device)), device]));
    const nameOf = (key: Key): string => names.get(keyText(key)) ?? '';
    const { items, failures } = await getAll(
      client,
      tableName,
      devices.map(sessionKey),
      'body',
      tools,
      timeLeft,
    );
    return {
      known: new Map(items.map((item) => [nameOf(keyOfItem(item)), held(item)])),
      failures: failures.map(({ item, reason }) => ({ item: nameOf(item), reason })),
    };
  };

  const putOnce = async ({ device, sessions, revision, upTo }: Change): Promise<boolean> => {
    try {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: toItem({
            ...sessionKey(device),
            body: JSON.stringify({ sessions, revision: revision + 1, upTo }),
            revision: revision + 1,
            expiresAt: Math.floor(now() / 1000) + KEPT_DAYS * DAY_S,
          }),
          ConditionExpression: 'attribute_not_exists(pk) OR revision = :revision',
          ExpressionAttributeValues: { ':revision': { N: String(revision) } },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  /** Somebody else wrote in between: what both hold is what holds. */
  const save = (change: Change, timeLeft: TimeLeft): Promise<readonly Failure<Change>[]> => {
    const attempt = async (): Promise<Failure<Change>[]> => {
      let next = change;
      for (let conflicts = 0; conflicts < CONFLICTS_LIMIT; conflicts += 1) {
        if (await putOnce(next)) return [];
        const { known } = await load([change.device], timeLeft);
        const { sessions, revision, upTo } = known.get(change.device) ?? NO_SESSIONS;
        const isBehind = upTo !== undefined && isAfter(upTo, change.upTo ?? '');
        next = {
          ...change,
          sessions: mergeSessions(change.sessions, sessions),
          revision,
          ...(isBehind && { upTo }),
        };
      }
      return [{ item: change, reason: 'sessions keep being written by others' }];
    };
    return sendAll([change], attempt, tools, timeLeft);
  };

  return {
    load,

    async save(
      changes: readonly Change[],
      timeLeft: TimeLeft,
    ): Promise<readonly Failure<Change>[]> {
      const failures = await inParallel(changes, WIDTH, (change) => save(change, timeLeft));
      return failures.flat();
    },
  };
};

const sessionKey = (device: string): Key => ({ pk: `device#${device}`, sk: 'sessions' });

function held(item: Item): HeldSessions {
  const body: unknown = JSON.parse(item['body']?.S ?? '{}');
  const { sessions, revision, upTo } = Body.parse(body);
  return { sessions, revision, ...(upTo !== undefined && { upTo }) };
}

const Body = z.object({
  sessions: Sessions,
  revision: z.int().min(0),
  upTo: z.string().optional(),
});
