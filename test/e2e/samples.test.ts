import { readFileSync } from 'node:fs';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDeadLetters } from '../../commands/dead-letters.ts';
import { openIncidentDesk } from '../../commands/incident-desk.ts';
import type { DeviceIdentity } from '../../local/fleet/device.ts';
import type { Reading } from '../../shared/core/reading.ts';
import {
  bootLaptop,
  connectDevice,
  publishHttps,
  storedReadings,
  type TestLaptop,
} from '../support/laptop.ts';

let byEvent: TestLaptop;
let byClient: TestLaptop;
let device: DeviceIdentity;

beforeAll(async () => {
  [byEvent, byClient] = await Promise.all([bootLaptop(), bootLaptop()]);
  device = await byClient.addDevice('probe-1', 'acme');
});
afterAll(() => Promise.all([byEvent.close(), byClient.close()]));

interface Sample {
  readonly Records: { kinesis: { data: string } }[];
}

interface Envelope {
  data: string;
  readonly topic: string;
  readonly clientId: string;
  receivedAtMs: number;
}

const sampleOf = (name: string): Sample =>
  JSON.parse(readFileSync(`events/ingest.${name}.json`, 'utf8'));
const envelopeOf = ({ kinesis: { data } }: Sample['Records'][number]): Envelope =>
  JSON.parse(Buffer.from(data, 'base64').toString());

/** What a reading says, without what differs from one sending to the next. */
const said = ({
  thing,
  fleet,
  kind,
  transport,
  metrics,
  units,
  raw,
  observedAtMs,
  receivedAtMs,
}: Reading) => ({
  ...{ thing, fleet, kind, transport, metrics, units },
  index: raw.index,
  // a device's own time stays; without one, it is the time of receipt
  observedAtMs: observedAtMs === receivedAtMs ? 'on receipt' : observedAtMs,
});

/** Moves a sample, whose clocks stand still, to now: both its time of receipt and what its device says. */
function movedToNow(sample: Sample): Sample {
  const Records = sample.Records.map((record) => {
    const envelope = envelopeOf(record);
    const shiftMs = Date.now() - envelope.receivedAtMs;
    envelope.receivedAtMs += shiftMs;
    envelope.data = Buffer.from(moved(Buffer.from(envelope.data, 'base64'), shiftMs)).toString(
      'base64',
    );
    return {
      ...record,
      kinesis: {
        ...record.kinesis,
        data: Buffer.from(JSON.stringify(envelope)).toString('base64'),
      },
    };
  });
  return { Records };
}

const moved = (payload: Buffer, shiftMs: number): Uint8Array | string =>
  payload
    .toString()
    .replaceAll(
      /("(?:ts|timestamp)":\s*)(\d{13}|"[^"]+")/g,
      (_all, key: string, time: string) =>
        `${key}${Number.isNaN(Number(time)) ? JSON.stringify(new Date(Date.parse(JSON.parse(time)) + shiftMs).toISOString()) : Number(time) + shiftMs}`,
    );

describe('a sample event of security does what its name says:', () => {
  const invoke = async (name: string) => {
    const lambda = new LambdaClient(byEvent.client);
    const [functionName = ''] = name.split('.');
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({
        FunctionName: `tributary-dev-${functionName}`,
        Payload: readFileSync(`events/${name}.json`),
      }),
    );
    expect(FunctionError).toBeUndefined();
    expect(JSON.parse(Buffer.from(Payload ?? []).toString())).toEqual({ batchItemFailures: [] });
    await byEvent.idle();
  };
  const incidents = () => openIncidentDesk({ client: byEvent.client, stage: 'dev' }).list();

  it.each([
    ['guard.flood', 'probe-1', 'flood'],
    ['defend.in-alarm', 'probe-1', 'flood'],
    ['defend.audit-summary', '000000000000', 'audit-device-certificate-shared'],
    [
      'defend.audit-finding',
      expect.stringContaining('probe-policy'),
      'audit-iot-policy-overly-permissive',
    ],
    ['defend.control-plane', 'tributary-dev-device', 'control-SetDefaultPolicyVersion'],
  ])('%s opens one incident, once', async (sample, name, cause) => {
    await invoke(sample);
    const counts = (await incidents()).map(({ id, count }) => [id, count]);
    await invoke(sample);
    const after = await incidents();
    expect(after.map(({ id, count }) => [id, count])).toEqual(counts);
    expect(after).toContainEqual(
      expect.objectContaining({ subject: expect.objectContaining({ name }), cause, state: 'open' }),
    );
  });

  it('defend.cleared ends the alarm of defend.in-alarm', async () => {
    const { length: before } = await incidents();
    await invoke('defend.cleared');
    expect(await incidents()).toHaveLength(before);
  });

  it('guard.presence keeps who is connected', async () => {
    await invoke('guard.presence');
    const db = new DynamoDBClient(byEvent.client);
    const TableName = 'tributary-dev-devices';
    const Key = { pk: { S: 'thing#probe-1' }, sk: { S: 'connection' } };
    const { Item } = await db.send(new GetItemCommand({ TableName, Key }));
    expect(Item).toMatchObject({ connected: { BOOL: false }, sinceMs: { N: '1790000000000' } });
  });

  it('refused ones go to the dead letters, and those of defend come back to its queue', async () => {
    for (const sample of ['guard.refused-source', 'defend.refused-topic', 'defend.refused-shape']) {
      await invoke(sample);
    }
    const { client } = byEvent;
    const letters = openDeadLetters({
      sqs: new SQSClient(client),
      kinesis: new KinesisClient(client),
      stage: 'dev',
    });
    const wanted = ({ function: name }: { function: string }) => name === 'defend';
    const walk = (send: boolean) => letters.walk({ queue: 'dead-letters', max: 100, wanted, send });
    const codes = ['FOREIGN_NOTIFICATION', 'MALFORMED_NOTIFICATION'];
    const codesOf = ({ letters: found }: Awaited<ReturnType<typeof walk>>) =>
      new Set(found.map(({ code }) => code));
    const first = await walk(true);
    expect(first.failures).toEqual([]);
    expect(codesOf(first)).toEqual(new Set(codes));
    // what is still wrong comes back
    await byEvent.idle();
    expect(codesOf(await walk(false))).toEqual(new Set(codes));
    const others = await letters.walk({
      queue: 'dead-letters',
      max: 100,
      wanted: ({ function: name }) => name === 'guard',
      send: false,
    });
    expect(codesOf(others)).toEqual(new Set(['UNKNOWN_SOURCE']));
  });
});

describe('a sample event says what its message says when a client sends it:', () => {
  it.each(['flat', 'nested', 'samples', 'status', 'https'])('ingest.%s', async (name) => {
    const sample = movedToNow(sampleOf(name));
    const lambda = new LambdaClient(byEvent.client);
    const { FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName: 'tributary-dev-ingest', Payload: JSON.stringify(sample) }),
    );
    expect(FunctionError).toBeUndefined();

    for (const record of sample.Records) {
      const { topic, data, clientId } = envelopeOf(record);
      const payload = Buffer.from(data, 'base64');
      if (clientId === 'n/a') {
        await publishHttps(byClient, device, topic, payload);
        continue;
      }
      const client = await connectDevice(byClient, device);
      await client.publishAsync(topic, payload, { qos: 1 });
      await client.endAsync();
    }
    await Promise.all([byEvent.idle(), byClient.idle()]);
    const [expected, actual] = await Promise.all([
      storedReadings(byEvent, 'probe-1'),
      storedReadings(byClient, 'probe-1'),
    ]);
    expect(expected.length).toBeGreaterThan(0);
    expect(actual.map(said)).toEqual(expected.map(said));
  });
});
