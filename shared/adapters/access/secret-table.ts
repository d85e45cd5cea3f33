import {
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { ownedSecretKey, pepperKey, secretKey } from '../../core/access/access-keys.ts';
import { KeptSecret } from '../../core/access/device-secret.ts';
import { type Item, toItem } from '../attributes.ts';
import type { Dynamo } from '../tables.ts';

export type SecretTable = ReturnType<typeof secretTable>;

/** An ended secret is of no use; some time later the table forgets it. */
const FORGOTTEN_AFTER_SECONDS = 30 * 86_400;

/**
 * Device secrets, as HMACs, and the encrypted peppers. Read consistently on each use, so that a secret revoked here is
 * refused from the next question on.
 */
export const secretTable = (client: Dynamo, tableName: string) => {
  const get = async (key: object): Promise<Item | undefined> => {
    const command = new GetItemCommand({
      TableName: tableName,
      Key: toItem({ ...key }),
      ConsistentRead: true,
    });
    return (await client.send(command)).Item;
  };
  const putNew = async (item: Item): Promise<void> => {
    await client.send(
      new PutItemCommand({
        TableName: tableName,
        Item: item,
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  };

  const ownedIds = async (thing: string): Promise<readonly string[]> => {
    const ids: string[] = [];
    let from: Item | undefined;
    do {
      const query = new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :secret)',
        ExpressionAttributeValues: {
          ':pk': { S: ownedSecretKey(thing, '').pk },
          ':secret': { S: ownedSecretKey(thing, '').sk },
        },
        ConsistentRead: true,
        ExclusiveStartKey: from,
      });
      const { Items = [], LastEvaluatedKey } = await client.send(query);
      ids.push(...Items.flatMap((item) => item['secretId']?.S ?? []));
      from = LastEvaluatedKey;
    } while (from !== undefined);
    return ids;
  };

  return {
    async find(id: string): Promise<KeptSecret | undefined> {
      const item = await get(secretKey(id));
      return item === undefined ? undefined : KeptSecret.parse(plainOf(item));
    },

    /** All secrets that a thing was ever given, the ended ones as far as they are not forgotten. */
    async ofThing(thing: string): Promise<readonly KeptSecret[]> {
      const secrets: KeptSecret[] = [];
      for (const id of await ownedIds(thing)) {
        const item = await get(secretKey(id));
        if (item !== undefined) secrets.push(KeptSecret.parse(plainOf(item)));
      }
      return secrets;
    },

    /** Keeps a new secret, its owner's list first, so that no secret is in none. */
    async add(secret: KeptSecret): Promise<void> {
      const { id, thing, expiresAtMs } = secret;
      const expiresAt =
        expiresAtMs === undefined
          ? undefined
          : Math.ceil(expiresAtMs / 1000) + FORGOTTEN_AFTER_SECONDS;
      await putNew(toItem({ ...ownedSecretKey(thing, id), secretId: id, expiresAt }));
      await putNew(toItem({ ...secretKey(id), ...secret, expiresAt }));
    },

    /** @throws {Error} when there is no such secret */
    async revoke(id: string): Promise<void> {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: toItem({ ...secretKey(id) }),
          UpdateExpression: 'SET #status = :revoked',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':revoked': { S: 'revoked' } },
        }),
      );
    },

    /** The pepper of a version, encrypted. */
    async sealedPepper(version: number): Promise<Uint8Array | undefined> {
      return (await get(pepperKey(version)))?.['sealed']?.B;
    },

    /** @throws {Error} when there is one of this version already */
    async addPepper(version: number, sealed: Uint8Array): Promise<void> {
      await putNew({ ...toItem({ ...pepperKey(version) }), sealed: { B: sealed } });
    },
  };
};

const plainOf = (item: Item): Record<string, string | number | undefined> =>
  Object.fromEntries(
    Object.entries(item).map(([name, { S, N }]) => [name, N === undefined ? S : Number(N)]),
  );
