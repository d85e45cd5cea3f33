import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { Key } from '../core/keys.ts';
import { type Item, toItem } from './attributes.ts';
import { chunks, inParallel } from './chunks.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from './retry.ts';

export type Dynamo = Pick<DynamoDBClient, 'send'>;

const GET = { count: 100 } as const;
/** 25 items of at most 400 KB stay below the 16 MB of a request. */
const PUT = { count: 25 } as const;
const WIDTH = 4;

/** A key as one text: injective, as no part of a key holds a line break. */
export const keyText = ({ pk, sk }: Key): string => `${pk}\n${sk}`;

export const keyOfItem = (item: Item): Key => ({
  pk: item['pk']?.S ?? '',
  sk: item['sk']?.S ?? '',
});

/**
 * Reads items by key, consistently.
 *
 * @param attributes  of each besides the key; none: the whole item
 * @returns what was found, and the keys that could not be asked for
 * @see DynamoDB API Reference, BatchGetItem
 */
export async function getAll(
  client: Dynamo,
  table: string,
  keys: readonly Key[],
  attributes: string | readonly string[] | undefined,
  tools: RetryTools,
  timeLeft: TimeLeft,
): Promise<{ readonly items: readonly Item[]; readonly failures: readonly Failure<Key>[] }> {
  const items: Item[] = [];
  const projection = attributes === undefined ? {} : projectionOf([attributes].flat());
  const getOnce = async (run: readonly Key[]): Promise<Failure<Key>[]> => {
    const answer = await client.send(
      new BatchGetItemCommand({
        RequestItems: {
          [table]: {
            Keys: run.map((key) => toItem({ ...key })),
            ConsistentRead: true,
            ...projection,
          },
        },
      }),
    );
    items.push(...(answer.Responses?.[table] ?? []));
    return stillDue(run, answer.UnprocessedKeys?.[table]?.Keys ?? []);
  };
  const failures = await inParallel(chunks(keys, GET), WIDTH, (run) =>
    sendAll(run, getOnce, tools, timeLeft),
  );
  return { items, failures: failures.flat() };
}

const projectionOf = (attributes: readonly string[]) => ({
  ProjectionExpression: ['pk', 'sk', ...attributes.map((_, at) => `#a${at}`)].join(', '),
  ExpressionAttributeNames: Object.fromEntries(attributes.map((name, at) => [`#a${at}`, name])),
});

/** One item to be put under its key. */
export interface Put {
  readonly key: Key;
  readonly item: Item;
}

/**
 * Puts items, whose keys must differ, in no order.
 *
 * @returns what could not be put
 * @see DynamoDB API Reference, BatchWriteItem
 */
export async function putAll<One extends Put>(
  client: Dynamo,
  table: string,
  puts: readonly One[],
  tools: RetryTools,
  timeLeft: TimeLeft,
): Promise<readonly Failure<One>[]> {
  const putOnce = async (run: readonly One[]): Promise<Failure<One>[]> => {
    const answer = await client.send(
      new BatchWriteItemCommand({
        RequestItems: { [table]: run.map(({ item }) => ({ PutRequest: { Item: item } })) },
      }),
    );
    const left = new Set(
      (answer.UnprocessedItems?.[table] ?? []).map(({ PutRequest }) =>
        keyText(keyOfItem(PutRequest?.Item ?? {})),
      ),
    );
    return run.flatMap((item) =>
      left.has(keyText(item.key)) ? [{ item, reason: UNPROCESSED }] : [],
    );
  };
  const failures = await inParallel(chunks(puts, PUT), WIDTH, (run) =>
    sendAll(run, putOnce, tools, timeLeft),
  );
  return failures.flat();
}

const UNPROCESSED = 'left unprocessed (throttled)';

function stillDue(run: readonly Key[], unprocessed: readonly Item[]): Failure<Key>[] {
  const left = new Set(unprocessed.map((item) => keyText(keyOfItem(item))));
  return run.flatMap((item) => (left.has(keyText(item)) ? [{ item, reason: UNPROCESSED }] : []));
}
