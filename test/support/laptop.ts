import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { type Laptop, type LaptopOptions, startLaptop } from '../../local/cloud.ts';
import type { LogEntry } from '../../local/core/log.ts';
import type { DeviceIdentity } from '../../local/fleet/device.ts';
import { readSide } from '../../shared/adapters/readings/read-side.ts';
import { DeadLetter } from '../../shared/core/dead-letter.ts';
import type { Reading } from '../../shared/core/reading.ts';
import { packageService, type Template } from './template.ts';

const OPERATOR = { accessKeyId: 'operator', secretAccessKey: 'operator' };
const DAY_MS = 86_400_000;

export interface TestLaptop extends Laptop {
  readonly log: readonly LogEntry[];
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: typeof OPERATOR;
  };
}

interface Changes
  extends Partial<Omit<LaptopOptions, 'templateFile' | 'packageDirectory' | 'log'>> {
  /** What is to be different from the template that `sls package` wrote. */
  readonly change?: (template: Template) => void;
  /** Overrides of the stage's parameters. */
  readonly params?: Readonly<Record<string, string>>;
}

/** The packaged service of stage `dev` on free ports, its state in memory, its certificates in a folder of its own. */
export async function bootLaptop({
  change,
  params = {},
  ...options
}: Changes = {}): Promise<TestLaptop> {
  const { directory, template } = packageService({ params });
  const folder = mkdtempSync(join(tmpdir(), 'tributary-e2e-'));
  const templateFile = join(folder, 'template.json');
  change?.(template);
  writeFileSync(templateFile, JSON.stringify(template));
  const log: LogEntry[] = [];
  const laptop = await startLaptop({
    templateFile,
    packageDirectory: directory,
    certificateDirectory: folder,
    ports: { aws: 0, mqtt: 0, https: 0 },
    ...options,
    log: (entry) => void log.push(entry),
  });
  const { awsEndpoint, region } = laptop;
  return {
    ...laptop,
    log,
    client: { endpoint: awsEndpoint, region, credentials: OPERATOR },
    close: async () => {
      await laptop.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Connects with the device's certificate and its name as client id. */
export const connectDevice = (
  laptop: Pick<TestLaptop, 'mqttPort'>,
  device: DeviceIdentity,
  options: Partial<IClientOptions> = {},
): Promise<MqttClient> =>
  connectAsync(
    `mqtts://localhost:${laptop.mqttPort}`,
    {
      clientId: device.thing,
      protocolVersion: 5,
      reconnectPeriod: 0,
      connectTimeout: 10_000,
      cert: device.certificatePem,
      key: device.privateKeyPem,
      ca: device.caPem,
      ...options,
    },
    // who is turned away is told so, and waits for no other try
    false,
  );

/** @returns status and body of an HTTPS publish with the device's certificate */
export const publishHttps = (
  laptop: Pick<TestLaptop, 'httpsPort'>,
  device: DeviceIdentity,
  topic: string,
  payload: string | Uint8Array,
): Promise<{ readonly status: number; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const call = request(
      {
        host: 'localhost',
        port: laptop.httpsPort,
        method: 'POST',
        path: `/topics/${topic}?qos=1`,
        cert: device.certificatePem,
        key: device.privateKeyPem,
        ca: device.caPem,
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    call.on('error', reject);
    call.end(payload);
  });

export const tablesOf = ({ client }: Pick<TestLaptop, 'client'>) =>
  readSide(new DynamoDBClient(client), {
    readings: 'tributary-dev-readings',
    devices: 'tributary-dev-devices',
  });

/** All that is stored of a thing these days, in the order of observation. */
export async function storedReadings(
  laptop: Pick<TestLaptop, 'client'>,
  thing: string,
): Promise<Reading[]> {
  const range = { fromMs: Date.now() - 8 * DAY_MS, toMs: Date.now() + DAY_MS };
  const newestFirst = await Array.fromAsync(tablesOf(laptop).history(thing, range));
  return newestFirst.reverse();
}

/** Takes the messages that a queue holds now. */
export async function drainQueue(
  { client }: Pick<TestLaptop, 'client'>,
  name: string,
): Promise<string[]> {
  const sqs = new SQSClient(client);
  const QueueUrl = `${client.endpoint}/000000000000/tributary-dev-${name}`;
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
    );
    if (Messages.length === 0) return bodies;
    bodies.push(...Messages.map(({ Body = '' }) => Body));
  }
}

export const deadLetters = async (laptop: Pick<TestLaptop, 'client'>): Promise<DeadLetter[]> =>
  (await drainQueue(laptop, 'dead-letters')).map((body) => DeadLetter.parse(JSON.parse(body)));
