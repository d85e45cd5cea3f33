import { readdirSync, readFileSync } from 'node:fs';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { PublishBatchCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetQueueUrlCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import * as z from 'zod';
import { DeadLetter } from '../../shared/core/dead-letter.ts';
import { Envelope } from '../../shared/core/envelope.ts';
import { LorawanEnvelope } from '../../shared/core/lorawan/uplink.ts';
import { Reading } from '../../shared/core/reading.ts';
import { streamRecords } from '../../shared/lambda/stream-event.ts';
import { packageService } from '../support/template.ts';

const RECEIVED_AT_MS = 1_790_000_000_250;

/** What becomes of a sample: readings put or stored, anomalies told, and the codes and findings of dead letters. */
interface Outcome {
  readonly readings?: readonly object[];
  readonly latest?: readonly object[];
  readonly anomalies?: readonly object[];
  readonly deadLetters?: readonly object[];
}

const probe1 = { thing: 'probe-1', fleet: 'acme', kind: 'telemetry', transport: 'mqtt' };

const WIRELESS_DEVICE = '5b58245e-146c-4c30-9703-0ca942e3ff35';

const EXPECTED: Readonly<Record<string, Outcome>> = {
  'ingest.flat': {
    readings: [
      {
        ...probe1,
        observedAtMs: RECEIVED_AT_MS,
        metrics: { temperature: 21.5, door: 'closed', charging: false },
      },
    ],
  },
  'ingest.nested': {
    readings: [
      {
        ...probe1,
        observedAtMs: RECEIVED_AT_MS - 250,
        receivedAtMs: RECEIVED_AT_MS,
        metrics: {
          'battery.voltage': 3.71,
          'battery.charging': false,
          'position.lat': 52.52,
          'position.lon': 13.405,
        },
        units: { 'battery.voltage': 'V' },
      },
    ],
  },
  'ingest.cbor': {
    readings: [
      {
        ...probe1,
        observedAtMs: RECEIVED_AT_MS - 250,
        metrics: { temperature: 21.5, humidity: 48 },
      },
    ],
  },
  'ingest.samples': {
    readings: [
      {
        ...probe1,
        observedAtMs: Date.parse('2026-09-21T14:13:00Z'),
        metrics: { temperature: 21.4 },
      },
      {
        ...probe1,
        observedAtMs: Date.parse('2026-09-21T14:13:10Z'),
        metrics: { temperature: 21.5 },
      },
      {
        ...probe1,
        observedAtMs: Date.parse('2026-09-21T14:13:20Z'),
        metrics: { temperature: 21.7 },
      },
    ],
  },
  'ingest.https': { readings: [{ ...probe1, transport: 'https' }] },
  'ingest.status': {
    readings: [{ ...probe1, kind: 'status', metrics: { online: true, firmware: '2.4.1' } }],
  },
  'ingest.several-devices': {
    readings: [{ ...probe1 }, { ...probe1, thing: 'probe-3' }],
    deadLetters: [{ code: 'MALFORMED_PAYLOAD', partitionKey: 'probe-2' }],
  },
  'ingest.refused-json': { deadLetters: [{ code: 'MALFORMED_PAYLOAD', partitionKey: 'probe-1' }] },
  'ingest.refused-topic': { deadLetters: [{ code: 'MALFORMED_TOPIC', partitionKey: 'probe-1' }] },
  'ingest.refused-source': { deadLetters: [{ code: 'UNKNOWN_SOURCE', partitionKey: 'probe-1' }] },
  'decode.several-codecs': {
    readings: [
      {
        thing: WIRELESS_DEVICE,
        fleet: 'acme',
        transport: 'lorawan',
        observedAtMs: Date.parse('2026-09-21T14:13:20Z'),
        metrics: { 'temperature.3': 27.2, 'temperature.5': 25.5 },
        link: { gateways: 2, rssiDbm: -71, snrDb: 9.75, spreadingFactor: 7 },
        raw: { codec: 'cayenne-lpp', fPort: 10, fCnt: 5, data: 'A2cBEAVnAP8=' },
      },
      {
        thing: WIRELESS_DEVICE,
        metrics: { t: 21.5 },
        link: { lostUplinks: 2 },
        raw: { codec: 'json', fPort: 11, fCnt: 8 },
      },
    ],
  },
  'decode.not-for-codecs': {
    readings: [
      { thing: WIRELESS_DEVICE, metrics: {}, link: { batteryPercent: 50, marginDb: -12 } },
    ],
  },
  'decode.refused-sidewalk': {
    deadLetters: [{ code: 'UNSUPPORTED_NETWORK', partitionKey: WIRELESS_DEVICE }],
  },
  'decode.refused-payload': {
    deadLetters: [{ code: 'MALFORMED_PAYLOAD', partitionKey: WIRELESS_DEVICE }],
  },
  'detect.several-devices': {},
  'detect.out-of-range': {
    anomalies: [
      {
        thing: 'probe-1',
        fleet: 'acme',
        metric: 'temperature',
        kind: 'out of range',
        state: 'open',
        version: 1,
        observed: -300,
        low: -273.15,
      },
    ],
  },
  'detect.refused-reading': {
    deadLetters: [{ function: 'detect', code: 'MALFORMED_READING', partitionKey: 'probe-1' }],
  },
  'record.reading': {
    readings: [
      {
        ...probe1,
        metrics: { temperature: 21.5, 'battery.voltage': 3.71, door: 'closed', charging: false },
      },
    ],
    latest: [{ thing: 'probe-1', metrics: { temperature: 21.5 } }],
  },
  'record.several-devices': {
    readings: [
      { thing: 'probe-1', metrics: { temperature: 21.5 } },
      { thing: 'probe-2', metrics: { temperature: 19.25 } },
      { thing: 'probe-1', metrics: { temperature: 21.7 } },
    ],
    latest: [
      { thing: 'probe-1', metrics: { temperature: 21.7 } },
      { thing: 'probe-2', metrics: { temperature: 19.25 } },
    ],
  },
  'record.refused-reading': {
    deadLetters: [{ code: 'MALFORMED_READING', partitionKey: 'probe-1' }],
  },
};

const functionOf = (name: string): string => name.split('.')[0] ?? '';
const SCHEMA_OF = { ingest: Envelope, decode: LorawanEnvelope } as Readonly<
  Record<string, z.ZodType>
>;
const HANDLER_OF: Readonly<Record<string, string>> = {
  ingest: 'IngestLambdaFunction',
  decode: 'DecodeLambdaFunction',
  detect: 'DetectLambdaFunction',
};
const STREAM_OF: Readonly<Record<string, string>> = {
  ingest: 'UplinksStream',
  decode: 'UplinksStream',
  record: 'ReadingsStream',
  detect: 'ReadingsStream',
};

/** As the rules key what they put on a stream. */
const thingOf = (inner: {
  readonly thing?: string;
  readonly topic?: string;
  readonly data?: string;
}): string => {
  if (inner.thing !== undefined) return inner.thing;
  if (inner.topic !== undefined) return inner.topic.split('/')[2] ?? '';
  const message: { WirelessDeviceId: string } = JSON.parse(
    Buffer.from(inner.data ?? '', 'base64').toString(),
  );
  return message.WirelessDeviceId;
};

const all = readdirSync('events').map((file) => file.replace(/\.json$/, ''));
/** Of the functions that read streams; what the others get is looked at beside. */
const samples = all.filter((name) => functionOf(name) in STREAM_OF && name !== 'detect.sweep');
const sample = (name: string): unknown => JSON.parse(readFileSync(`events/${name}.json`, 'utf8'));
const { template } = packageService();
const propertiesOf = (id: string): Record<string, unknown> => ({
  ...template.Resources[id]?.Properties,
});
describe('the samples', () => {
  it('are all expected to do something, and every function has one', () => {
    expect(new Set(samples)).toEqual(new Set(Object.keys(EXPECTED)));
    expect(new Set(all.map(functionOf))).toEqual(new Set(readdirSync('functions')));
  });

  it.each(samples)(
    '%s comes from the stream that its function reads, keyed by the thing',
    (name) => {
      const stream = propertiesOf(STREAM_OF[functionOf(name)] ?? '')['Name'];
      for (const record of streamRecords(sample(name))) {
        const inner = JSON.parse(Buffer.from(record.data, 'base64').toString());
        expect(record.stream).toBe(stream);
        expect(record.partitionKey).toBe(thingOf(inner));
      }
    },
  );

  it.each(
    samples.filter(
      (name) =>
        !['ingest.refused-source', 'record.refused-reading', 'detect.refused-reading'].includes(
          name,
        ),
    ),
  )('%s holds what its stream holds', (name) => {
    const schema = SCHEMA_OF[functionOf(name)] ?? Reading;
    for (const { data } of streamRecords(sample(name))) {
      const { error } = schema.safeParse(JSON.parse(Buffer.from(data, 'base64').toString()));
      expect(error).toBeUndefined();
    }
  });
});

const kinesis = mockClient(KinesisClient);
const dynamo = mockClient(DynamoDBClient);
const sqs = mockClient(SQSClient);
const sns = mockClient(SNSClient);
const mqtt = mockClient(IoTDataPlaneClient);

/** What the codecs table says of all devices. */
const ASSIGNED = {
  pk: { S: 'assignments' },
  sk: { S: 'other' },
  body: {
    S: JSON.stringify({
      fleet: 'acme',
      codecs: [
        { codec: 'cayenne-lpp', fPorts: [10] },
        { codec: 'json', fPorts: [11] },
      ],
    }),
  },
};

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

/** The handler as deployed: its environment is the template's. */
async function handlerOf(name: string): Promise<Handler> {
  const id = HANDLER_OF[name] ?? 'RecordLambdaFunction';
  const { Variables } = propertiesOf(id)['Environment'] as { Variables: Record<string, string> };
  Object.assign(process.env, Variables, { LOG_LEVEL: 'error', AWS_REGION: 'eu-central-1' });
  const module: { handler: Handler } = await import(`../../functions/${name}/handler.ts`);
  return module.handler;
}

const deadLetters = () =>
  sqs
    .commandCalls(SendMessageBatchCommand)
    .flatMap(({ args: [{ input }] }) => input.Entries ?? [])
    .map(({ MessageBody = '' }) => DeadLetter.parse(JSON.parse(MessageBody)));

const CONTEXT = {
  getRemainingTimeInMillis: () => 60_000,
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:tributary-dev-detect',
};

const toldLive = () =>
  mqtt
    .commandCalls(PublishCommand)
    .map(({ args: [{ input }] }) =>
      JSON.parse(Buffer.from(z.instanceof(Uint8Array).parse(input.payload)).toString()),
    );

const toldSubscribers = () =>
  sns
    .commandCalls(PublishBatchCommand)
    .flatMap(({ args: [{ input }] }) => input.PublishBatchRequestEntries ?? []);

const putOnStream = () =>
  kinesis
    .commandCalls(PutRecordsCommand)
    .filter(({ args: [{ input }] }) => input.StreamName === 'tributary-dev-readings')
    .flatMap(({ args: [{ input }] }) => input.Records ?? [])
    .map(({ Data = new Uint8Array() }) => Reading.parse(JSON.parse(Buffer.from(Data).toString())));

const putInHistory = () =>
  dynamo
    .commandCalls(BatchWriteItemCommand)
    .flatMap(({ args: [{ input }] }) => input.RequestItems?.['tributary-dev-readings'] ?? [])
    .map(({ PutRequest }) => unmarshall(PutRequest?.Item ?? {}));

const putAsLatest = () =>
  dynamo
    .commandCalls(PutItemCommand)
    .map(({ args: [{ input }] }) => unmarshall(input.Item ?? {}))
    .filter(({ sk }) => String(sk).startsWith('latest#'));

describe('a sample, through its handler,', () => {
  beforeEach(() => {
    for (const client of [kinesis, dynamo, sqs, sns, mqtt]) client.reset();
    kinesis.on(PutRecordsCommand).callsFake(({ Records }) => ({
      FailedRecordCount: 0,
      Records: Records.map(() => ({ SequenceNumber: '1', ShardId: 'shardId-000000000000' })),
    }));
    dynamo.on(BatchGetItemCommand).resolves({ Responses: {} });
    dynamo.on(QueryCommand).callsFake(({ TableName }) => ({
      Items: TableName === 'tributary-dev-codecs' ? [ASSIGNED] : [],
    }));
    dynamo.on(UpdateItemCommand).resolves({});
    mqtt.on(PublishCommand).resolves({});
    sns.on(PublishBatchCommand).callsFake(({ PublishBatchRequestEntries: entries }) => ({
      Successful: entries.map(({ Id }: { Id: string }) => ({ Id, MessageId: Id })),
    }));
    dynamo.on(BatchWriteItemCommand).resolves({});
    dynamo.on(PutItemCommand).resolves({});
    sqs.on(GetQueueUrlCommand).resolves({ QueueUrl: 'http://127.0.0.1/dead-letters' });
    sqs.on(SendMessageBatchCommand).callsFake(({ Entries }) => ({
      Successful: Entries.map(({ Id }: { Id: string }) => ({
        Id,
        MessageId: Id,
        MD5OfMessageBody: '',
      })),
    }));
  });

  it.each(samples)('%s does what is expected', async (name) => {
    const handler = await handlerOf(functionOf(name));
    const outcome = await handler(sample(name), CONTEXT);
    expect(outcome).toEqual({ batchItemFailures: [] });
    const expected = EXPECTED[name] ?? {};
    expect(functionOf(name) === 'record' ? putInHistory() : putOnStream()).toMatchObject(
      expected.readings ?? [],
    );
    expect(putAsLatest()).toMatchObject(expected.latest ?? []);
    expect(toldLive()).toMatchObject(expected.anomalies ?? []);
    expect(toldSubscribers()).toHaveLength(expected.anomalies?.length ?? 0);
    expect(deadLetters()).toMatchObject(expected.deadLetters ?? []);
  });

  it('detect.sweep looks after what is pending and overdue, and finds nothing', async () => {
    dynamo.on(GetItemCommand).resolves({});
    const handler = await handlerOf('detect');
    expect(await handler(sample('detect.sweep'), CONTEXT)).toBeUndefined();
    expect(dynamo.commandCalls(QueryCommand).length).toBeGreaterThan(16);
    expect(toldLive()).toEqual([]);
  });
});
