import { GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { INGESTION_PARTITION } from '../../core/detection/detection-keys.ts';
import { Ingestion, Mark, NEVER_INGESTED } from '../../core/detection/ingestion.ts';
import { type Item, toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';
import type { Dynamo } from '../tables.ts';

const PULSE_KEY = { pk: INGESTION_PARTITION, sk: 'pulse' } as const;
const MARK = 'shard#';
const FORGOTTEN_AFTER_S = 7 * 86_400;

export type IngestionTable = ReturnType<typeof ingestionTable>;

/** How far each shard was read, and what the sweep made of it; what cannot be read begins anew. */
export const ingestionTable = (client: Dynamo, tableName: string, tools: RetryTools) => ({
  async mark(mark: Mark, timeLeft: TimeLeft): Promise<void> {
    const put = new PutItemCommand({
      TableName: tableName,
      Item: toItem({
        pk: INGESTION_PARTITION,
        sk: `${MARK}${mark.shard}`,
        body: JSON.stringify(mark),
        expiresAt: Math.ceil(mark.readAtMs / 1000) + FORGOTTEN_AFTER_S,
      }),
    });
    await patiently(() => client.send(put), tools, timeLeft);
  },

  async marks(timeLeft: TimeLeft): Promise<readonly Mark[]> {
    const query = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :mark)',
      ExpressionAttributeValues: { ':pk': { S: INGESTION_PARTITION }, ':mark': { S: MARK } },
      ConsistentRead: true,
    });
    const { Items = [] } = await patiently(() => client.send(query), tools, timeLeft);
    return Items.flatMap((item) => {
      const mark = Mark.safeParse(bodyOf(item));
      return mark.success ? [mark.data] : [];
    });
  },

  async load(timeLeft: TimeLeft): Promise<Ingestion> {
    const get = new GetItemCommand({
      TableName: tableName,
      Key: toItem(PULSE_KEY),
      ConsistentRead: true,
    });
    const { Item } = await patiently(() => client.send(get), tools, timeLeft);
    const known = Ingestion.safeParse(Item === undefined ? undefined : bodyOf(Item));
    return known.success ? known.data : NEVER_INGESTED;
  },

  async save(ingestion: Ingestion, timeLeft: TimeLeft): Promise<void> {
    const Item = toItem({ ...PULSE_KEY, body: JSON.stringify(ingestion) });
    const put = new PutItemCommand({ TableName: tableName, Item });
    await patiently(() => client.send(put), tools, timeLeft);
  },
});

function bodyOf(item: Item): unknown {
  try {
    return JSON.parse(item['body']?.S ?? '');
  } catch {
    return undefined;
  }
}
