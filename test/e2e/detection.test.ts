import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connectAsync, type MqttClient } from 'mqtt';
import { seeded } from '../../local/fleet/random.ts';
import { AwsError } from '../../local/operations/operation.ts';
import type { Faults } from '../../local/servers/aws-faults.ts';
import { anomalyTable } from '../../shared/adapters/detection/anomaly-table.ts';
import { AnomalyRecord } from '../../shared/core/detection/anomaly-record.ts';
import { bootLaptop, connectDevice, drainQueue, type TestLaptop } from '../support/laptop.ts';
import { patientTools, plentyOfTime } from '../support/retry-tools.ts';
import { presign } from '../support/signer.ts';

const MINUTE_MS = 60_000;
const ARN = 'arn:aws:iot:eu-central-1:000000000000';

let laptop: TestLaptop;
let dashboard: MqttClient;
let faults: Faults = () => undefined;
const heard: AnomalyRecord[] = [];

/** A queue of the test's own at the topic. */
const LISTENER = {
  ListenerQueue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'tributary-dev-listener' } },
  ListenerPolicy: {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: 'ListenerQueue' }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'sns.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: { 'Fn::GetAtt': ['ListenerQueue', 'Arn'] },
          },
        ],
      },
    },
  },
  Listener: {
    Type: 'AWS::SNS::Subscription',
    Properties: {
      TopicArn: { Ref: 'AnomaliesTopic' },
      Protocol: 'sqs',
      Endpoint: { 'Fn::GetAtt': ['ListenerQueue', 'Arn'] },
    },
  },
};

beforeAll(async () => {
  laptop = await bootLaptop({
    change: ({ Resources }) => void Object.assign(Resources, LISTENER),
    faults: (call) => faults(call),
  });
  dashboard = await openDashboard('acme');
  dashboard.on('message', (_, payload) => {
    heard.push(AnomalyRecord.parse(JSON.parse(payload.toString())));
  });
});
afterAll(async () => {
  await dashboard.endAsync(true);
  await laptop.close();
});

/** Somebody who signs with keys that may watch the anomalies of one fleet. */
async function openDashboard(fleet: string): Promise<MqttClient> {
  const clientId = `dashboard-${fleet}`;
  const allow = (Action: string, Resource: string) => ({ Effect: 'Allow', Action, Resource });
  const Statement = [
    allow('iot:Connect', `${ARN}:client/${clientId}`),
    allow('iot:Subscribe', `${ARN}:topicfilter/an/${fleet}/+`),
    allow('iot:Receive', `${ARN}:topic/an/${fleet}/*`),
  ];
  const keys = laptop.addSession({
    name: clientId,
    policies: [{ name: 'watch', document: { Version: '2012-10-17', Statement } }],
  });
  const headers = { host: `localhost:${laptop.port443}` };
  const { query } = await presign({ headers }, { atMs: Date.now(), ...keys });
  const client = await connectAsync(`wss://localhost:${laptop.port443}/mqtt?${query}`, {
    clientId,
    ca: laptop.caPem,
    reconnectPeriod: 0,
  });
  await client.subscribeAsync(`an/${fleet}/+`, { qos: 1 });
  return client;
}

/** Samples of one message: the last one now, one each minute before it. */
const samples = (temperatures: readonly number[], untilMs: number): string =>
  JSON.stringify(
    temperatures.map((temperature, at) => ({
      ts: new Date(untilMs - (temperatures.length - 1 - at) * MINUTE_MS).toISOString(),
      temperature,
    })),
  );

function healthy(count: number): number[] {
  const random = seeded(1);
  return Array.from(
    { length: count },
    () => 20 + Math.round(10 * (random() + random() + random())) / 10,
  );
}

/** An hour of a healthy device, and then what is told. */
async function publish(thing: string, temperatures: readonly number[]): Promise<void> {
  const nowMs = Date.now();
  const device = await connectDevice(laptop, await laptop.addDevice(thing, 'acme'));
  const topic = `dt/acme/${thing}/telemetry`;
  const beforeMs = nowMs - temperatures.length * MINUTE_MS;
  await device.publishAsync(topic, samples(healthy(60), beforeMs), { qos: 1 });
  await device.publishAsync(topic, samples(temperatures, nowMs), { qos: 1 });
  await laptop.idle();
  await device.endAsync();
}

const recorded = (thing: string) =>
  anomalyTable(new DynamoDBClient(laptop.client), 'tributary-dev-anomalies', patientTools()).list(
    { thing },
    plentyOfTime,
  );

const versionsHeard = (thing: string): string[] =>
  heard.filter((one) => one.thing === thing).map(({ kind, version }) => `${kind} ${version}`);

it('a sensor that jumps is on the dashboard of its fleet, at subscribers and in the table', async () => {
  await publish('probe-1', [85]);
  const [record] = await recorded('probe-1');
  expect(record).toMatchObject({ kind: 'spike', state: 'open', version: 1, observed: 85 });
  expect(heard.filter(({ thing }) => thing === 'probe-1')).toEqual([record]);
  const told = (await drainQueue(laptop, 'listener')).map((body) => JSON.parse(body));
  expect(told).toMatchObject([
    {
      Subject: 'spike, temperature of probe-1',
      MessageAttributes: { id: { Type: 'String', Value: record?.id } },
    },
  ]);
  expect(JSON.parse(told[0].Message)).toEqual(record);
});

it('a sensor that hangs is told once when it hangs, and once when it moves again', async () => {
  await publish('probe-2', [...new Array<number>(40).fill(21.7), ...healthy(12)]);
  expect(await recorded('probe-2')).toMatchObject([{ kind: 'stuck value', state: 'closed' }]);
  expect(versionsHeard('probe-2')).toEqual(['stuck value 1', 'stuck value 2']);
});

it('what could not be told is told when the batch comes again, under the same id and version', async () => {
  let failures = 2;
  faults = ({ target, caller }) => {
    if (caller.kind !== 'function' || failures === 0 || !/PublishBatch/.test(target))
      return undefined;
    failures -= 1;
    return new AwsError('AuthorizationError', 'not now', 403);
  };
  await drainQueue(laptop, 'listener');
  await publish('probe-3', [85]);
  expect(failures).toBe(0);
  expect(await recorded('probe-3')).toMatchObject([{ kind: 'spike', version: 1 }]);
  expect(await drainQueue(laptop, 'listener')).toHaveLength(1);
  expect(new Set(versionsHeard('probe-3'))).toEqual(new Set(['spike 1']));
});

it('the sweep may do all that it has to', async () => {
  const lambda = new LambdaClient(laptop.client);
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: 'tributary-dev-detect',
      Payload: JSON.stringify({ tick: 'sweep' }),
    }),
  );
  lambda.destroy();
  expect(answer.FunctionError).toBeUndefined();
  expect(laptop.log.filter(({ message }) => /AccessDenied/.test(message))).toEqual([]);
});
