import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Key } from '../../core/keys.ts';
import { toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';
import type { Dynamo } from '../tables.ts';

const FORGOTTEN_AFTER_SECONDS = 86_400;

/** Counts one more under a key, kept for a day, and says the how-manieth it is: one write, whoever else counts. */
export async function countOne(
  client: Dynamo,
  tableName: string,
  key: Key,
  nowMs: number,
  tools: RetryTools,
  timeLeft: TimeLeft,
): Promise<number> {
  const update = new UpdateItemCommand({
    TableName: tableName,
    Key: toItem({ ...key }),
    UpdateExpression: 'SET expiresAt = :end ADD amount :one',
    ExpressionAttributeValues: {
      ':end': { N: String(Math.ceil(nowMs / 1000) + FORGOTTEN_AFTER_SECONDS) },
      ':one': { N: '1' },
    },
    ReturnValues: 'UPDATED_NEW',
  });
  const { Attributes } = await patiently(() => client.send(update), tools, timeLeft);
  return Number(Attributes?.['amount']?.N);
}
