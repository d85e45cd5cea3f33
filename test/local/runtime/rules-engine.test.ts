import { afterEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { createBroker } from '../../../local/core/mqtt/broker.ts';
import type { Inbound } from '../../../local/core/mqtt/inbound.ts';
import { LAPTOP_LIMITS } from '../../../local/core/mqtt/limits.ts';
import { AwsError, operation } from '../../../local/operations/operation.ts';
import type { RuleSinks } from '../../../local/runtime/rules-engine.ts';

import {
  arn,
  KEY_ARN,
  NOW_MS,
  openStores,
  queueUrl,
  ROLE,
  type RuleOptions,
  startEngine,
  template,
  toErrors,
} from './rules-world.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function setup(
  rules: readonly RuleOptions[],
  sinks: Partial<RuleSinks> = {},
  more: Parameters<typeof startEngine>[2] = {},
) {
  const stores = await openStores();
  cleanUps.push(stores.close);
  return { stores, ...startEngine(rules, { operations: stores.operations, ...sinks }, more) };
}

const toWork = { Sqs: { QueueUrl: queueUrl('work'), RoleArn: ROLE } };
const toStream = {
  Kinesis: { StreamName: 'uplinks', PartitionKey: template('topic(3)'), RoleArn: ROLE },
};
const parsed = (bodies: readonly string[]) => bodies.map((body) => JSON.parse(body));

describe('a message', () => {
  it('goes through the telemetry rule to the stream, under the thing as its key', async () => {
    const sql =
      "SELECT 1 AS v, 'telemetry' AS source, encode(*, 'base64') AS data, topic() AS topic, principal() AS principal, clientid() AS clientId, sourceip() AS sourceIp, timestamp() AS receivedAtMs, traceid() AS traceId, newuuid() AS messageId FROM 'dt/#'";
    const { publish, stores, needs } = await setup([{ sql, actions: [toStream] }]);
    await publish('dt/north/probe-1/telemetry', Buffer.from('no JSON'));
    const [record, ...others] = stores.records();
    expect(others).toEqual([]);
    expect(record?.partitionKey).toBe('probe-1');
    expect(JSON.parse(Buffer.from(record?.data ?? []).toString())).toEqual({
      v: 1,
      source: 'telemetry',
      data: Buffer.from('no JSON').toString('base64'),
      topic: 'dt/north/probe-1/telemetry',
      principal: 'certificate-1',
      clientId: 'probe-1',
      sourceIp: '192.0.2.1',
      receivedAtMs: NOW_MS,
      traceId: 'trace-1',
      messageId: 'uuid-1',
    });
    expect(needs.map(({ roleArn, action, resource }) => [roleArn, action, resource])).toEqual([
      [ROLE, 'kinesis:PutRecord', arn('kinesis', 'stream/uplinks')],
      [ROLE, 'kms:GenerateDataKey', KEY_ARN],
    ]);
  });

  it('runs all actions of all rules that match, and of no other', async () => {
    const { publish, stores } = await setup([
      { name: 'one', sql: "SELECT 1 AS n FROM 'dt/+/a'", actions: [toWork, toWork] },
      { name: 'two', sql: "SELECT 2 AS n FROM 'dt/#' WHERE t > 3", actions: [toWork] },
      { name: 'false', sql: "SELECT 3 AS n FROM 'dt/#' WHERE t > 4", actions: [toWork] },
      { name: 'elsewhere', sql: "SELECT 4 AS n FROM 'cmd/#'", actions: [toWork] },
      { name: 'off', sql: "SELECT 5 AS n FROM 'dt/#'", actions: [toWork], disabled: true },
    ]);
    await publish('dt/x/a', { t: 4 });
    const seen = parsed(await stores.bodies('work')).map(({ n }) => n);
    expect(seen.sort()).toEqual([1, 1, 2]);
  });

  it('over HTTPS has neither client id nor trace id', async () => {
    const sql = "SELECT clientid() AS c, traceid() AS t, sourceip() AS ip FROM 'dt/#'";
    const { engine, stores } = await setup([{ sql, actions: [toWork] }]);
    await engine.publish({
      topic: 'dt/a',
      payload: Buffer.from('{}'),
      protocol: 'https',
      principal: 'certificate-1',
      sourceIp: '192.0.2.1',
    });
    expect(parsed(await stores.bodies('work'))).toEqual([{ c: 'n/a', ip: '192.0.2.1' }]);
  });
});

describe('Basic Ingest', () => {
  const rules: RuleOptions[] = [
    { name: 'named', sql: "SELECT topic() AS t FROM 'other/#'", actions: [toWork] },
    { name: 'broad', sql: "SELECT 'broad' AS t FROM '#'", actions: [toWork] },
    { name: 'off', actions: [toWork], disabled: true },
  ];

  it('runs the rule it names, whatever its FROM, and that one only', async () => {
    const { publish, stores } = await setup(rules);
    await publish('$aws/rules/named/dt/north/probe-1', {});
    expect(parsed(await stores.bodies('work'))).toEqual([{ t: 'dt/north/probe-1' }]);
  });

  it.each(['off', 'nobody'])('for the rule %s leaves an entry in the log', async (name) => {
    const { publish, stores, entries } = await setup(rules);
    await publish(`$aws/rules/${name}/dt/a`, {});
    expect(await stores.bodies('work')).toEqual([]);
    expect(entries).toMatchObject([{ level: 'warn', source: 'rules', event: 'RuleNotFound' }]);
    expect(entries[0]?.message).toContain(name);
  });
});

describe('failing actions', () => {
  const toNowhere = (name: string) => ({ Sqs: { QueueUrl: queueUrl(name), RoleArn: ROLE } });

  it('give one record to the error action, with all failures, while the others take place', async () => {
    const { publish, stores } = await setup([
      {
        actions: [toNowhere('nowhere'), toWork, toNowhere(template('topic(2)'))],
        errorAction: toErrors,
      },
    ]);
    await publish('dt/void', { t: 1 });
    expect(parsed(await stores.bodies('work'))).toEqual([{ t: 1 }]);
    expect(parsed(await stores.bodies('errors'))).toEqual([
      {
        ruleName: 'telemetry',
        topic: 'dt/void',
        cloudwatchTraceId: 'trace-1',
        clientId: 'probe-1',
        base64OriginalPayload: Buffer.from('{"t":1}').toString('base64'),
        failures: ['nowhere', 'void'].map((name) => ({
          failedAction: 'SqsAction',
          failedResource: queueUrl(name),
          errorMessage: expect.stringMatching(
            new RegExp(`${name}.*QueueDoesNotExist.*arrived on: dt/void`),
          ),
        })),
      },
    ]);
  });

  it.each([
    { denied: 'kinesis:PutRecord', on: arn('kinesis', 'stream/uplinks') },
    { denied: 'kms:GenerateDataKey', on: KEY_ARN },
  ])('for want of $denied are told with role and grant', async ({ denied, on }) => {
    const rules = [{ actions: [toStream], errorAction: toErrors }];
    const { publish, stores, slept } = await setup(rules, {}, { denied: [denied] });
    await publish('dt/north/probe-1/telemetry', {});
    expect(stores.records()).toEqual([]);
    const [{ failures }] = parsed(await stores.bodies('errors'));
    expect(failures[0].errorMessage).toContain(`is not authorized to perform: ${denied}`);
    expect(failures[0].errorMessage).toContain(on);
    expect(failures[0].errorMessage).toContain(ROLE);
    expect(slept).toEqual([]);
  });

  it('go to the log, by topic, where the error action fails too', async () => {
    const { publish, entries } = await setup([
      { actions: [toNowhere('nowhere')], errorAction: toNowhere('nobody') },
    ]);
    await publish('dt/a', { secret: 'payload' });
    expect(entries.map(({ level, topic }) => [level, topic])).toEqual([
      ['warn', 'dt/a'],
      ['error', 'dt/a'],
    ]);
    expect(JSON.stringify(entries)).not.toContain('secret');
  });

  it('go to the log where there is no error action', async () => {
    const { publish, entries } = await setup([{ actions: [toNowhere('nowhere')] }]);
    await publish('dt/a', {});
    expect(entries.at(-1)?.message).toMatch(/no error action/);
  });

  it('do not include an empty partition key’s neighbours', async () => {
    const byBody = { Kinesis: { ...toStream.Kinesis, PartitionKey: template('device') } };
    const { publish, stores } = await setup([
      { actions: [byBody, toStream], errorAction: toErrors },
    ]);
    await publish('dt/north/probe-1/telemetry', {});
    expect(stores.records().map(({ partitionKey }) => partitionKey)).toEqual(['probe-1']);
    const [{ failures }] = parsed(await stores.bodies('errors'));
    expect(failures).toMatchObject([
      { failedAction: 'KinesisAction', errorMessage: expect.stringContaining('PartitionKey') },
    ]);
  });
});

describe('retries', () => {
  /** A service that fails so often with an error before it works. */
  const flaky = (failures: number, error: Error) => {
    let calls = 0;
    return {
      calls: () => calls,
      operations: [
        operation({
          route: { target: 'AmazonSQS.SendMessage' },
          input: z.unknown(),
          needs: () => [],
          run() {
            calls++;
            if (calls <= failures) throw error;
            return {};
          },
        }),
      ],
    };
  };

  it.each([
    { code: 'InternalFailure', status: 500 },
    { code: 'ProvisionedThroughputExceededException', status: 400 },
    { code: 'ThrottlingException', status: 400 },
  ])('are made after $code, with growing waits', async ({ code, status }) => {
    const { operations, calls } = flaky(2, new AwsError(code, 'try again', status));
    const { publish, slept, entries } = startEngine([{ actions: [toWork] }], { operations });
    await publish('dt/a', {});
    expect(calls()).toBe(3);
    expect(slept).toEqual([75, 150]);
    expect(entries).toEqual([]);
  });

  it('end after three attempts', async () => {
    const { operations, calls } = flaky(99, new AwsError('InternalFailure', 'broken', 500));
    const { publish, entries } = startEngine([{ actions: [toWork] }], { operations });
    await publish('dt/a', {});
    expect(calls()).toBe(3);
    expect(entries.at(-1)?.level).toBe('error');
  });

  it('are not made for what would fail again', async () => {
    const { operations, calls } = flaky(99, new AwsError('InvalidMessageContents', 'no'));
    const { publish } = startEngine([{ actions: [toWork] }], { operations });
    await publish('dt/a', {});
    expect(calls()).toBe(1);
  });
});

describe('a rule that republishes into itself', () => {
  it('is cut, through the real broker, and the log says what AWS would do', async () => {
    let times = 0;
    let toRules = (_inbound: Inbound): Promise<void> => Promise.resolve();
    const broker = createBroker(
      {
        now: () => NOW_MS,
        uuid: () => 'u',
        timers: () => () => undefined,
        log: () => undefined,
        onEvent: () => undefined,
        publishToRules: (inbound) => toRules(inbound),
      },
      LAPTOP_LIMITS,
    );
    const { engine, publish, entries } = startEngine(
      [{ actions: [{ Republish: { Topic: template('topic()'), RoleArn: ROLE } }] }],
      {
        operations: [],
        deliver({ topic, payload, qos }) {
          times++;
          const inbound = {
            topic,
            payload,
            protocol: 'mqtt' as const,
            principal: '',
            sourceIp: '',
          };
          return broker.publish(
            { topic, payload: Buffer.from(payload), qos, retain: false },
            inbound,
          );
        },
      },
    );
    toRules = engine.publish;
    await publish('dt/a', {});
    expect(times).toBe(11);
    expect(entries).toMatchObject([{ level: 'error', topic: 'dt/a' }]);
    expect(entries[0]?.message).toMatch(/AWS would not, and would bill it/);
    await publish('dt/a', {});
    expect(times).toBe(22);
  });
});

describe('functions of SQL that call a service', () => {
  const sql = "SELECT get_thing_shadow('a', 'arn:aws:iam::000000000000:role/r').x AS x FROM 'dt/#'";

  it('are refused where the laptop does not have the service', async () => {
    await expect(setup([{ sql }])).rejects.toThrow(/telemetry, SQL: .*get_thing_shadow/);
  });

  it('run where it has, and end the rule without an error action when they fail', async () => {
    const answers = [() => ({ x: 7 })];
    const services = {
      async get_thing_shadow() {
        const answer = answers.pop();
        if (answer === undefined) throw new Error('no shadow');
        return answer();
      },
    };
    const stores = await openStores();
    cleanUps.push(stores.close);
    const place = { accountId: '000000000000', region: 'eu-central-1' };
    const { publish, entries } = startEngine(
      [{ sql, actions: [toWork], errorAction: toErrors }],
      { operations: stores.operations },
      {
        env: {
          ...place,
          now: () => NOW_MS,
          random: () => 0,
          uuid: () => 'u',
          sleep: async () => {},
          services,
        },
      },
    );
    await publish('dt/a', {});
    expect(parsed(await stores.bodies('work'))).toEqual([{ x: 7 }]);
    await publish('dt/a', {});
    expect(await stores.bodies('work')).toEqual([]);
    expect(await stores.bodies('errors')).toEqual([]);
    expect(entries).toMatchObject([
      { level: 'error', message: expect.stringContaining('no shadow') },
    ]);
  });
});

describe('rules that cannot run', () => {
  it('are refused all at once, each thing by name and place', async () => {
    const starting = setup([
      {
        name: 'first',
        sql: "SELECT * FORM 'dt/#'",
        actions: [{ Timestream: {} }, toWork, { Sns: { TargetArn: 'arn:x', RoleArn: ROLE } }],
        errorAction: { Republish: { Topic: 'a', RoleArn: ROLE } },
      },
      {
        name: 'second',
        actions: [
          { Kinesis: { StreamName: 'uplinks', RoleArn: ROLE } },
          { Sqs: { QueueUrl: queueUrl('work'), RoleArn: ROLE, Fancy: 1 } },
          { Sqs: { QueueUrl: template('topic(').slice(0, -1), RoleArn: ROLE } },
        ],
        payload: { RuleDisabled: false },
      },
      { name: 'third', payload: { AwsIotSqlVersion: '2015-10-08' } },
    ]);
    await expect(starting).rejects.toMatchObject({
      name: 'RulesError',
      problems: [
        expect.stringMatching(/^rule first, SQL: line 1, column 10/),
        'rule first, action 1: Timestream: the laptop does not have this action',
        'rule first, action 3: Sns: the laptop has no SNS topics here',
        'rule first, error action: Republish: the laptop has no broker here',
        expect.stringMatching(/^rule second, action 1: Kinesis: PartitionKey: required here/),
        expect.stringMatching(/^rule second, action 2: Sqs: .*Fancy/),
        expect.stringMatching(/^rule second, action 3: Sqs: line 1/),
        expect.stringMatching(/^rule third: .*2016-03-23/),
      ],
    });
  });
});
