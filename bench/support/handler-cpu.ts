import { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { SQSClient } from '@aws-sdk/client-sqs';
import { ingest } from '../../functions/ingest/ingest.ts';
import { encodeReading, normalise } from '../../functions/ingest/normalise.ts';
import { record } from '../../functions/record/record.ts';
import { deadLetterQueue } from '../../shared/adapters/dead-letter-queue.ts';
import { deviceTable } from '../../shared/adapters/readings/device-table.ts';
import { fleetDirectory } from '../../shared/adapters/readings/fleet-directory.ts';
import { readingTable } from '../../shared/adapters/readings/reading-table.ts';
import { readingsStream } from '../../shared/adapters/readings/readings-stream.ts';
import type { Envelope } from '../../shared/core/envelope.ts';
import { parseTopic } from '../../shared/core/topic.ts';
import type { BatchResponse } from '../../shared/lambda/batch.ts';
import { interleave, median } from './rounds.ts';

const BATCH = 100;
const DEVICES = 50;
const BATCHES = 20;
const BATCHES_A_ROUND = 40;
const NOW_MS = 1_790_000_000_000;

/** Microseconds of CPU a message, medians over rounds. */
export interface HandlerCpu {
  readonly function: string;
  readonly handlerUs: number;
  /** Every base64 decode and JSON parse that the batch needs, and nothing else. */
  readonly floorUs: number;
  readonly ratio: number;
}

interface Event {
  readonly Records: readonly { readonly kinesis: { readonly data: string } }[];
}

type Handler = (
  event: unknown,
  invocation: { getRemainingTimeInMillis(): number },
) => Promise<BatchResponse>;

/**
 * CPU of `ingest` and `record` on batches of 100 messages of 50 devices, everything included but the SDK's
 * serialisation and the network: `client.send` answers at once. Every container has seen its devices before.
 */
export async function measureHandlers(rounds: number): Promise<readonly HandlerCpu[]> {
  const uplinks = Array.from({ length: BATCHES }, (_, batch) => uplinkEvent(batch));
  const readings = Array.from({ length: BATCHES }, (_, batch) => readingEvent(batch));
  const { handleUplinks, handleReadings } = handlers();
  return [
    await measure('ingest', handleUplinks, uplinks, parseUplink, rounds),
    await measure('record', handleReadings, readings, parseRecord, rounds),
  ];
}

/** A function against its floor, and no other between them: in its container it is alone as well. */
async function measure(
  name: string,
  handle: Handler,
  events: readonly Event[],
  parse: (data: string) => unknown,
  rounds: number,
): Promise<HandlerCpu> {
  const taken = await interleave(
    [
      { name: 'handler', run: (round) => handleAll(handle, events, round) },
      { name: 'floor', run: async (round) => each(events, round, parse) },
    ],
    { warmUps: 20, rounds },
  );
  const [handlerUs = Number.NaN, floorUs = Number.NaN] = ['handler', 'floor'].map(
    (one) => median(taken.get(one) ?? []) / (BATCHES_A_ROUND * BATCH),
  );
  return { function: name, handlerUs, floorUs, ratio: handlerUs / floorUs };
}

function handlers(): { readonly handleUplinks: Handler; readonly handleReadings: Handler } {
  const tools = { sleep: async () => {}, random: () => 0.5 };
  const region = { region: 'eu-central-1' };
  const kinesis = stub(new KinesisClient(region));
  const dynamo = stub(new DynamoDBClient(region));
  const devices = deviceTable(dynamo, 'devices', tools);
  const common = {
    deadLetters: deadLetterQueue(stub(new SQSClient(region)), 'dead-letters', tools),
    log: () => {},
    now: () => NOW_MS,
  };
  return {
    handleUplinks: ingest({
      ...common,
      fleets: fleetDirectory(devices, common.now),
      readings: readingsStream(kinesis, 'readings', tools),
      signals: readingsStream(kinesis, 'signals', tools),
    }),
    handleReadings: record({
      ...common,
      devices,
      history: readingTable(dynamo, 'readings', 30, tools),
    }),
  };
}

/** A client whose calls are answered before they are serialised, as if all had gone well. */
function stub<Client extends object>(client: Client): Client {
  const answer = { SequenceNumber: '1', ShardId: 'shardId-000000000000' };
  const send = async (command: unknown): Promise<object> => {
    if (command instanceof PutRecordsCommand) {
      return { Records: (command.input.Records ?? []).map(() => answer) };
    }
    return command instanceof BatchGetItemCommand ? allProfiles(command) : {};
  };
  return Object.assign(client, { send });
}

function allProfiles({ input }: BatchGetItemCommand): object {
  const responses = Object.entries(input.RequestItems ?? {}).map(([table, { Keys = [] }]) => [
    table,
    Keys.map((key) => ({ ...key, fleet: { S: 'acme' } })),
  ]);
  return { Responses: Object.fromEntries(responses) };
}

async function handleAll(handle: Handler, events: readonly Event[], round: number): Promise<void> {
  for (let at = 0; at < BATCHES_A_ROUND; at += 1) {
    const event = events[(round + at) % events.length];
    const { batchItemFailures } = await handle(event, { getRemainingTimeInMillis: () => 60_000 });
    if (batchItemFailures.length > 0) throw new Error('the bench fails its own batch');
  }
}

let sink = 0;

function each(events: readonly Event[], round: number, parse: (data: string) => unknown): void {
  for (let at = 0; at < BATCHES_A_ROUND; at += 1) {
    for (const { kinesis } of events[(round + at) % events.length]?.Records ?? []) {
      if (parse(kinesis.data) !== undefined) sink += 1;
    }
  }
}

const parseRecord = (data: string): unknown => JSON.parse(Buffer.from(data, 'base64').toString());

function parseUplink(data: string): unknown {
  const envelope: { data: string } = JSON.parse(Buffer.from(data, 'base64').toString());
  return JSON.parse(Buffer.from(envelope.data, 'base64').toString());
}

/** Proof that the floor's work was not optimised away. */
export const parsed = (): number => sink;

const uplinkEvent = (batch: number): Event =>
  eventOf('uplinks', batch, (uplink) => JSON.stringify(uplink));

const readingEvent = (batch: number): Event =>
  eventOf('readings', batch, (uplink) => {
    const [reading] = normalise(uplink, parseTopic(uplink.topic));
    if (reading === undefined) throw new Error('the bench makes no reading');
    return encodeReading(reading);
  });

function eventOf(
  stream: string,
  batch: number,
  encode: (uplink: Envelope) => string | Uint8Array,
): Event {
  return {
    Records: Array.from({ length: BATCH }, (_, at) => {
      const uplink = uplinkOf(batch * BATCH + at);
      return {
        eventID: `shardId-000000000000:${at}`,
        eventName: 'aws:kinesis:record',
        eventSource: 'aws:kinesis',
        eventSourceARN: `arn:aws:kinesis:eu-central-1:000000000000:stream/${stream}`,
        eventVersion: '1.0',
        awsRegion: 'eu-central-1',
        invokeIdentityArn: 'arn:aws:iam::000000000000:role/bench',
        kinesis: {
          kinesisSchemaVersion: '1.0',
          partitionKey: uplink.clientId,
          sequenceNumber: String(49_590_000_000_000 + batch * BATCH + at),
          data: Buffer.from(encode(uplink)).toString('base64'),
          approximateArrivalTimestamp: NOW_MS / 1000,
        },
      };
    }),
  };
}

/** About 180 bytes of telemetry: eight metrics, one with a unit, a time and a counter. */
function uplinkOf(at: number): Envelope {
  const thing = `probe-${String(at % DEVICES).padStart(6, '0')}`;
  const payload = {
    ts: NOW_MS - 1_000 - at,
    seq: at,
    temperature: 21 + (at % 90) / 100,
    humidity: 44.2,
    pressure: 1013.25,
    battery: { value: 3.71, unit: 'V' },
    charging: at % 2 === 0,
    firmware: '1.2.3',
    position: { lat: 48.137, lon: 11.575 },
  };
  return {
    v: 1,
    source: 'telemetry',
    data: Buffer.from(JSON.stringify(payload)).toString('base64'),
    topic: `dt/acme/${thing}/telemetry`,
    principal: '7f4b1c0e9a3d5f62b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5',
    clientId: thing,
    sourceIp: '203.0.113.7',
    receivedAtMs: NOW_MS,
    traceId: '6f9c2f7a-6a3c-4bd0-9df2-3b0f7f6f7d21',
    messageId: `0f1ab6f4-30a3-4a7e-8a52-${String(at).padStart(12, '0')}`,
  };
}
