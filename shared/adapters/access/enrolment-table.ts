import {
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { enrolmentKey } from '../../core/access/access-keys.ts';
import { Name } from '../../core/names.ts';
import { toItem } from '../attributes.ts';
import type { Dynamo } from '../tables.ts';

/** A device that was built and is expected: its serial number, and who it will be. */
const Row = z.object({ thing: Name, fleet: Name, certificateId: z.string().optional() });
export type Enrolment = z.infer<typeof Row>;

export type EnrolmentTable = ReturnType<typeof enrolmentTable>;

/** The devices that may claim an identity, each once. */
export const enrolmentTable = (client: Dynamo, tableName: string) => ({
  async find(serial: string): Promise<Enrolment | undefined> {
    const command = new GetItemCommand({
      TableName: tableName,
      Key: toItem({ ...enrolmentKey(serial) }),
      ConsistentRead: true,
    });
    const { Item } = await client.send(command);
    if (Item === undefined) return undefined;
    return Row.parse({
      thing: Item['thing']?.S,
      fleet: Item['fleet']?.S,
      certificateId: Item['certificateId']?.S,
    });
  },

  /** Expects a device; one that was provisioned is expected anew, which is how it is let in again. */
  async expect(serial: string, { thing, fleet }: Enrolment): Promise<void> {
    const Item = toItem({ ...enrolmentKey(serial), thing, fleet });
    await client.send(new PutItemCommand({ TableName: tableName, Item }));
  },

  /** @returns whether the serial is this certificate's now; a repetition with the same certificate is */
  async claim(serial: string, certificateId: string, nowMs: number): Promise<boolean> {
    const update = new UpdateItemCommand({
      TableName: tableName,
      Key: toItem({ ...enrolmentKey(serial) }),
      UpdateExpression: 'SET certificateId = :id, claimedAtMs = if_not_exists(claimedAtMs, :now)',
      ConditionExpression:
        'attribute_exists(pk) AND (attribute_not_exists(certificateId) OR certificateId = :id)',
      ExpressionAttributeValues: { ':id': { S: certificateId }, ':now': { N: String(nowMs) } },
    });
    try {
      await client.send(update);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  },
});
