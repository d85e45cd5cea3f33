import { readFileSync } from 'node:fs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
