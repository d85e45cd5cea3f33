import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import type { Key } from '../../core/keys.ts';
import { BudgetState, FRESH_BUDGET } from '../../core/security/budget.ts';
import { SEVERITIES } from '../../core/security/check-names.ts';
import { Denial } from '../../core/security/denial.ts';
import { Incident } from '../../core/security/incident.ts';
import {
  alertsKey,
  BUDGET_KEY,
  denialKey,
  incidentKey,
} from '../../core/security/security-keys.ts';
import { type Item, type Plain, toItem } from '../attributes.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';
import type { Dynamo } from '../tables.ts';
import { countOne } from './count-one.ts';

export type IncidentTable = ReturnType<typeof incidentTable>;

/** An incident that has ended is kept for so long, for who asks what there was. */
const ENDED_KEPT_SECONDS = 400 * 86_400;

/** Of incidents that somebody has to come back to: sparse, the gravest first. */
const DUE_INDEX = 'due';

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
      const { id, state, severity, cause, subject, lastAtMs, due } = incident;
      const hasEnded = state === 'cleared' || state === 'closed' || state === 'suppressed';
      const fields = {
        state,
        severity,
        cause,
        subject: subject.name,
        lastAtMs,
        ...(due === undefined ? {} : { due: 'due', dueOrder: dueOrderOf(incident) }),
        ...(hasEnded ? { expiresAt: Math.ceil(lastAtMs / 1000) + ENDED_KEPT_SECONDS } : {}),
      };
      return putVersion(incidentKey(id), incident, fields, timeLeft);
    },

    /** Ids of incidents that are due, the gravest first; the index may be a moment behind. */
    async dueIncidents(limit: number, timeLeft: TimeLeft): Promise<readonly string[]> {
      const query = new QueryCommand({
        TableName: tableName,
        IndexName: DUE_INDEX,
        KeyConditionExpression: 'due = :due',
        ExpressionAttributeValues: { ':due': { S: 'due' } },
        Limit: limit,
      });
      const { Items = [] } = await patiently(() => client.send(query), tools, timeLeft);
      return Items.map(({ pk }) => pk?.S?.replace('incident#', '') ?? '');
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
    countAlert: (window: number, nowMs: number, timeLeft: TimeLeft): Promise<number> =>
      countOne(client, tableName, alertsKey(window), nowMs, tools, timeLeft),

    async denial(thing: string, timeLeft: TimeLeft): Promise<Denial | undefined> {
      const body = await read(denialKey(thing), timeLeft);
      return body === undefined ? undefined : Denial.parse(body);
    },

    /** @param denial  its version one above that of the denial it was made from; see `denials` for who reads it */
    saveDenial(denial: Denial, timeLeft: TimeLeft): Promise<boolean> {
      const { thing, rung, incidentId } = denial;
      return putVersion(denialKey(thing), denial, { rung, incidentId }, timeLeft);
    },

    /** @returns false when it is another by now */
    dropDenial({ thing, version }: Denial, timeLeft: TimeLeft): Promise<boolean> {
      const remove = new DeleteItemCommand({
        TableName: tableName,
        Key: toItem({ ...denialKey(thing) }),
        ConditionExpression: 'attribute_not_exists(pk) OR version = :version',
        ExpressionAttributeValues: { ':version': { N: String(version) } },
      });
      return unlessRefused(() => patiently(() => client.send(remove), tools, timeLeft));
    },
  };
};

/** Sorts the gravest first, and of these the oldest. */
const dueOrderOf = ({ severity, lastAtMs, id }: Incident): string =>
  `${SEVERITIES.length - SEVERITIES.indexOf(severity)}#${String(lastAtMs).padStart(15, '0')}#${id}`;

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
