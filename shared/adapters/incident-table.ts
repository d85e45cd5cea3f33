import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { Key } from '../core/keys.ts';
import { BudgetState, FRESH_BUDGET } from '../core/security/budget.ts';
import { Incident, RUNGS } from '../core/security/incident.ts';
import { alertsKey, BUDGET_KEY, denialKey, incidentKey } from '../core/security/security-keys.ts';
import { type Item, type Plain, toItem } from './attributes.ts';
import { patiently } from './patiently.ts';
import type { RetryTools, TimeLeft } from './retry.ts';
import type { Dynamo } from './tables.ts';

/** What of a thing is refused, by which incident, and what it takes to undo it. */
export const Denial = z.object({
  thing: z.string(),
  incidentId: z.string(),
  rung: z.enum(RUNGS),
  /** Certificates that were quarantined, and of these, whether they were ACTIVE before. */
  certificates: z.array(z.object({ id: z.string(), active: z.boolean() })),
  atMs: z.number(),
});
export type Denial = z.infer<typeof Denial>;

export type IncidentTable = ReturnType<typeof incidentTable>;

const ALERTS_FORGOTTEN_AFTER_SECONDS = 86_400;

/**
 * Incidents, the budget of containment, and who is contained. Every write but a repetition of itself is under the
 * condition that nobody was faster; the answer says so, and the caller reads again.
 */
export const incidentTable = (client: Dynamo, tableName: string, tools: RetryTools) => {
  const read = async (key: Key, timeLeft: TimeLeft): Promise<unknown> => {
    const get = new GetItemCommand({
      TableName: tableName,
      Key: toItem({ ...key }),
      ConsistentRead: true,
    });
    const { Item: item } = await patiently(() => client.send(get), tools, timeLeft);
    return item === undefined ? undefined : bodyOf(item);
  };

  /** @returns whether it was written: false when `condition` does not hold */
  const putIf = async (
    key: Key,
    fields: Readonly<Record<string, Plain>>,
    condition: string,
    values: Item,
    timeLeft: TimeLeft,
  ): Promise<boolean> => {
    const put = new PutItemCommand({
      TableName: tableName,
      Item: toItem({ ...key, ...fields }),
      ConditionExpression: condition,
      ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
    });
    return unlessRefused(() => patiently(() => client.send(put), tools, timeLeft));
  };

  const putVersion = (
    key: Key,
    body: { readonly version: number },
    fields: Readonly<Record<string, Plain>>,
    timeLeft: TimeLeft,
  ): Promise<boolean> =>
    putIf(
      key,
      { ...fields, version: body.version, body: JSON.stringify(body) },
      body.version === 1 ? 'attribute_not_exists(pk)' : 'version = :before',
      body.version === 1 ? {} : { ':before': { N: String(body.version - 1) } },
      timeLeft,
    );

  return {
    async incident(id: string, timeLeft: TimeLeft): Promise<Incident | undefined> {
      const body = await read(incidentKey(id), timeLeft);
      return body === undefined ? undefined : Incident.parse(body);
    },

    /** @param incident  its version one above that of the incident it was made from */
    saveIncident(incident: Incident, timeLeft: TimeLeft): Promise<boolean> {
      const { id, state, severity, cause, subject, lastAtMs } = incident;
      const fields = { state, severity, cause, subject: subject.name, lastAtMs };
      return putVersion(incidentKey(id), incident, fields, timeLeft);
    },

    /** All incidents there are, read from one end of the table to the other: for people, not for functions. */
    async incidents(timeLeft: TimeLeft): Promise<readonly Incident[]> {
      const incidents: Incident[] = [];
      let from: Item | undefined;
      do {
        const scan = new ScanCommand({
          TableName: tableName,
          FilterExpression: 'sk = :sk',
          ExpressionAttributeValues: { ':sk': { S: 'incident' } },
          ExclusiveStartKey: from,
        });
        const { Items = [], LastEvaluatedKey } = await patiently(
          () => client.send(scan),
          tools,
          timeLeft,
        );
        incidents.push(...Items.map((item) => Incident.parse(bodyOf(item))));
        from = LastEvaluatedKey;
      } while (from !== undefined);
      return incidents.sort((one, other) => other.lastAtMs - one.lastAtMs);
    },

    async budget(timeLeft: TimeLeft): Promise<BudgetState> {
      const body = await read(BUDGET_KEY, timeLeft);
      return body === undefined ? FRESH_BUDGET : BudgetState.parse(body);
    },

    saveBudget: (budget: BudgetState, timeLeft: TimeLeft): Promise<boolean> =>
      putVersion(BUDGET_KEY, budget, {}, timeLeft),

    /** Counts one more alert in a window of time, and says the how-manieth it is. */
    async countAlert(window: number, nowMs: number, timeLeft: TimeLeft): Promise<number> {
      const update = new UpdateItemCommand({
        TableName: tableName,
        Key: toItem({ ...alertsKey(window) }),
        UpdateExpression: 'SET expiresAt = :end ADD alerts :one',
        ExpressionAttributeValues: {
          ':end': { N: String(Math.ceil(nowMs / 1000) + ALERTS_FORGOTTEN_AFTER_SECONDS) },
          ':one': { N: '1' },
        },
        ReturnValues: 'UPDATED_NEW',
      });
      const { Attributes } = await patiently(() => client.send(update), tools, timeLeft);
      return Number(Attributes?.['alerts']?.N);
    },

    async denial(thing: string, timeLeft: TimeLeft): Promise<Denial | undefined> {
      const body = await read(denialKey(thing), timeLeft);
      return body === undefined ? undefined : Denial.parse(body);
    },

    /** @returns false when another incident holds the thing */
    deny: (denial: Denial, timeLeft: TimeLeft): Promise<boolean> =>
      putIf(
        denialKey(denial.thing),
        { incidentId: denial.incidentId, rung: denial.rung, body: JSON.stringify(denial) },
        'attribute_not_exists(pk) OR incidentId = :id',
        { ':id': { S: denial.incidentId } },
        timeLeft,
      ),

    async allow(thing: string, timeLeft: TimeLeft): Promise<void> {
      const remove = new DeleteItemCommand({
        TableName: tableName,
        Key: toItem({ ...denialKey(thing) }),
      });
      await patiently(() => client.send(remove), tools, timeLeft);
    },
  };
};

const bodyOf = (item: Item): unknown => JSON.parse(item['body']?.S ?? 'null');

async function unlessRefused(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
