import type { LogEntry } from '../../../local/core/log.ts';
import type { Inbound } from '../../../local/core/mqtt/inbound.ts';
import { dynamoDbOperations } from '../../../local/operations/dynamodb/index.ts';
import { kinesisOperations } from '../../../local/operations/kinesis/index.ts';
import type { Need, Operation } from '../../../local/operations/operation.ts';
import { sqsOperations } from '../../../local/operations/sqs/index.ts';
import {
  createRulesEngine,
  type RuleSinks,
  type RulesEngineOptions,
} from '../../../local/runtime/rules-engine.ts';
import { createKeyStore } from '../../../local/stores/key-store.ts';
import { createQueueStore } from '../../../local/stores/queue-store.ts';
import { createStreamStore } from '../../../local/stores/stream-store.ts';
import { createTableStore } from '../../../local/stores/table-store.ts';

export const ACCOUNT = '000000000000';
export const REGION = 'eu-central-1';
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/telemetry`;
export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/k1`;
export const NOW_MS = 1_700_000_000_000;

export const arn = (service: string, resource: string) =>
  `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
export const queueUrl = (name: string) => `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${name}`;

/** The stores and services of a laptop: a stream `uplinks`, queues `work` and `errors`, a table `readings`. */
export async function openStores() {
  let ids = 0;
  const now = () => NOW_MS;
  const keys = createKeyStore({ now });
  const queues = createQueueStore({ now, uuid: () => `message-${++ids}` });
  const streams = createStreamStore({ now });
  const tables = await createTableStore({ accountId: ACCOUNT, region: REGION });
  keys.create({ keyId: 'k1', arn: KEY_ARN });
  for (const name of ['work', 'errors']) {
    queues.create({ name, arn: arn('sqs', name), url: queueUrl(name), attributes: {} });
  }
  const uplinks = { name: 'uplinks', arn: arn('kinesis', 'stream/uplinks') };
  await streams.create({ ...uplinks, shardCount: 1, retentionHours: 24, keyArn: KEY_ARN });
  await tables.create({
    TableName: 'readings',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  });
  const place = { accountId: ACCOUNT, region: REGION };
  const operations: Operation[] = [
    ...kinesisOperations({ streams, now, ...place }),
    ...sqsOperations({ queues, keys, endpoint: () => 'http://127.0.0.1:1', ...place }),
    ...dynamoDbOperations({ tables, ...place }),
  ];

  return {
    operations,
    records: () => streams.read('uplinks', streams.shards('uplinks')[0] ?? '', 'TRIM_HORIZON', 100),
    async bodies(queue: string) {
      const messages = await queues.receive(queue, { max: 10 });
      return messages.map(({ body }) => body);
    },
    async item(pk: string) {
      const { Item } = await tables.run('GetItem', {
        TableName: 'readings',
        Key: { pk: { S: pk } },
      });
      return Item;
    },
    async close() {
      await Promise.all([streams.close(), queues.close(), tables.close()]);
    },
  };
}

export interface RuleOptions {
  readonly name?: string;
  readonly sql?: string;
  readonly actions?: readonly unknown[];
  readonly errorAction?: unknown;
  readonly disabled?: boolean;
  readonly payload?: Readonly<Record<string, unknown>>;
}

const ruleOf = ({
  name = 'telemetry',
  sql = "SELECT * FROM 'dt/#'",
  actions = [],
  errorAction,
  disabled,
  payload,
}: RuleOptions) => ({
  name,
  arn: arn('iot', `rule/${name}`),
  properties: {
    RuleName: name,
    TopicRulePayload: {
      AwsIotSqlVersion: '2016-03-23',
      Sql: sql,
      Actions: actions,
      ...(errorAction !== undefined && { ErrorAction: errorAction }),
      ...(disabled !== undefined && { RuleDisabled: disabled }),
      ...payload,
    },
  },
});

/** `${expression}`, as parameters of actions hold it. */
export const template = (expression: string) => `\${${expression}}`;

export const toErrors = { Sqs: { QueueUrl: queueUrl('errors'), RoleArn: ROLE } };

/** An engine that logs what roles had to grant, and how long it slept. */
export function startEngine(
  rules: readonly RuleOptions[],
  sinks: RuleSinks,
  more: Partial<RulesEngineOptions> & { readonly denied?: readonly string[] } = {},
) {
  const { denied = [], ...options } = more;
  const needs: (Need & { readonly roleArn: string })[] = [];
  const entries: LogEntry[] = [];
  const slept: number[] = [];
  let ids = 0;
  const engine = createRulesEngine({
    rules: rules.map(ruleOf),
    sinks,
    authorize(roleArn, need) {
      needs.push({ roleArn, ...need });
      const allowed = !denied.includes(need.action);
      return { allowed, explanation: allowed ? 'allowed' : `no statement allows ${need.action}.` };
    },
    log: (entry) => entries.push(entry),
    env: {
      accountId: ACCOUNT,
      region: REGION,
      now: () => NOW_MS,
      random: () => 0.5,
      uuid: () => `uuid-${++ids}`,
      sleep: async (ms) => {
        slept.push(ms);
      },
    },
    ...options,
  });
  const publish = (topic: string, payload: unknown, rest: Partial<Inbound> = {}) =>
    engine.publish({
      topic,
      payload: payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload)),
      protocol: 'mqtt',
      principal: 'certificate-1',
      clientId: 'probe-1',
      sourceIp: '192.0.2.1',
      traceId: 'trace-1',
      ...rest,
    });
  return { engine, publish, needs, entries, slept };
}
