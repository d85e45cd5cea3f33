import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { rotationKey } from '../../core/access/access-keys.ts';
import { toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { Failure, RetryTools, TimeLeft } from '../retry.ts';
import { type Dynamo, getAll, keyOfItem } from '../tables.ts';

export type RotationTable = ReturnType<typeof rotationTable>;

/** Things that move to a new certificate: the old ones work until the new one was used to connect. */
export const rotationTable = (client: Dynamo, tableName: string, tools: RetryTools) => ({
  /** The last of several new certificates is the one that counts. */
  async begin(
    thing: string,
    newCertificateId: string,
    nowMs: number,
    timeLeft: TimeLeft,
  ): Promise<void> {
    const put = new PutItemCommand({
      TableName: tableName,
      Item: toItem({ ...rotationKey(thing), thing, newCertificateId, startedAtMs: nowMs }),
    });
    await patiently(() => client.send(put), tools, timeLeft);
  },

  /** The new certificate of each of these things that has one. */
  async pending(
    things: readonly string[],
    timeLeft: TimeLeft,
  ): Promise<{
    readonly newCertificates: ReadonlyMap<string, string>;
    readonly failures: readonly Failure<string>[];
  }> {
    const keys = new Map(things.map((thing) => [rotationKey(thing).pk, thing]));
    const { items, failures } = await getAll(
      client,
      tableName,
      [...keys.values()].map(rotationKey),
      'newCertificateId',
      tools,
      timeLeft,
    );
    return {
      newCertificates: new Map(
        items.map((item) => [
          keys.get(keyOfItem(item).pk) ?? '',
          item['newCertificateId']?.S ?? '',
        ]),
      ),
      failures: failures.map(({ item, reason }) => ({ item: keys.get(item.pk) ?? '', reason })),
    };
  },

  /** Ends a rotation, unless another to a newer certificate has begun. */
  async end(thing: string, newCertificateId: string, timeLeft: TimeLeft): Promise<void> {
    const remove = new DeleteItemCommand({
      TableName: tableName,
      Key: toItem({ ...rotationKey(thing) }),
      ConditionExpression: 'newCertificateId = :id',
      ExpressionAttributeValues: { ':id': { S: newCertificateId } },
    });
    try {
      await patiently(() => client.send(remove), tools, timeLeft);
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  },
});
