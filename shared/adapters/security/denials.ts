import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { DENIAL_RUNGS } from '../../core/security/denial.ts';
import { denialKey } from '../../core/security/security-keys.ts';
import { toItem } from '../attributes.ts';
import type { Dynamo } from '../tables.ts';

const Row = z.object({ rung: z.enum(DENIAL_RUNGS), incidentId: z.string() });
export type Refusal = z.infer<typeof Row>;

/**
 * Whether a thing is contained, for who lets devices in: one consistent read of the table of incidents, of the two
 * attributes that `defend` and `npm run incident` keep for that purpose beside the whole denial:
 *
 * - `rung`: `quarantine` (let it connect, subscribe and receive; grant no publish), `cut-off` (refuse), or `none`
 * - `incidentId`: to be named in the log of the refusal
 *
 * The role of the reader needs `dynamodb:GetItem` on the table, and `kms:Decrypt` on its key.
 *
 * @returns nothing for a thing that nobody holds
 */
export const denials =
  (client: Dynamo, tableName: string) =>
  async (thing: string): Promise<Refusal | undefined> => {
    const get = new GetItemCommand({
      TableName: tableName,
      Key: toItem({ ...denialKey(thing) }),
      ConsistentRead: true,
      ProjectionExpression: 'rung, incidentId',
    });
    const { Item } = await client.send(get);
    if (Item === undefined) return undefined;
    const found = Row.parse({ rung: Item['rung']?.S, incidentId: Item['incidentId']?.S });
    return found.rung === 'none' ? undefined : found;
  };
