import { ConditionalCheckFailedException, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { connectionKey } from '../../core/security/security-keys.ts';
import { toItem } from '../attributes.ts';
import { inParallel } from '../chunks.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from '../retry.ts';
import type { Dynamo } from '../tables.ts';

/** Whether a device is connected, and since when. */
export interface ConnectionStatus {
  readonly thing: string;
  readonly connected: boolean;
  readonly sinceMs: number;
  readonly reason?: string | undefined;
}

export type ConnectionTable = ReturnType<typeof connectionTable>;

const WIDTH = 16;

/** Connection status in the directory of devices; the newest stays, in whatever order events come. */
export const connectionTable = (client: Dynamo, tableName: string, tools: RetryTools) => {
  const save = (status: ConnectionStatus, timeLeft: TimeLeft) => {
    const put = new PutItemCommand({
      TableName: tableName,
      Item: toItem({ ...connectionKey(status.thing), ...status }),
      ConditionExpression: 'attribute_not_exists(pk) OR sinceMs <= :since',
      ExpressionAttributeValues: { ':since': { N: String(status.sinceMs) } },
    });
    const once = async (): Promise<Failure<ConnectionStatus>[]> => {
      try {
        await client.send(put);
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
      return [];
    };
    return sendAll([status], once, tools, timeLeft);
  };

  return {
    async save(
      statuses: readonly ConnectionStatus[],
      timeLeft: TimeLeft,
    ): Promise<readonly Failure<ConnectionStatus>[]> {
      return (await inParallel(statuses, WIDTH, (status) => save(status, timeLeft))).flat();
    },
  };
};
