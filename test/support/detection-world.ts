import { createHash } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type DetectDeps, type DetectInvocation, detect } from '../../functions/detect/detect.ts';
import { sweep } from '../../functions/detect/sweep.ts';
import { seeded } from '../../local/fleet/random.ts';
import { dynamoDbOperations } from '../../local/operations/dynamodb/index.ts';
import { createTableStore } from '../../local/stores/table-store.ts';
import { anomalyTable } from '../../shared/adapters/detection/anomaly-table.ts';
import {
  detectionSettingsTable,
  settingsDirectory,
} from '../../shared/adapters/detection/detection-settings-table.ts';
import { detectionTable } from '../../shared/adapters/detection/detection-table.ts';
import { ingestionTable } from '../../shared/adapters/detection/ingestion-table.ts';
import { lookTable } from '../../shared/adapters/detection/look-table.ts';
import type { MqttMessage } from '../../shared/adapters/detection/mqtt-topics.ts';
import type { Failure } from '../../shared/adapters/retry.ts';
import type { Published } from '../../shared/adapters/topic.ts';
import type { DeadLetter } from '../../shared/core/dead-letter.ts';
import { EXAMPLE_READING, type Reading } from '../../shared/core/reading.ts';
import type { Fields, Level } from '../../shared/lambda/log.ts';
import { ACCOUNT, clientOf, FUNCTION_KEY, REGION, serve } from '../local/operations/endpoint.ts';
import { patientTools, plentyOfTime } from './retry-tools.ts';
import { streamRecord } from './stream-events.ts';

const string = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
const index = (IndexName: string, hash: string, range: string, ProjectionType: string) => ({
  IndexName,
  KeySchema: [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ],
  Projection: { ProjectionType },
});
const TABLES = [
  {
    name: 'detection',
    attribute: 'pending',
    indexes: [index('pending', 'pending', 'pk', 'KEYS_ONLY')],
  },
  {
    name: 'anomalies',
    attribute: 'fleetState',
    indexes: [index('byFleet', 'fleetState', 'sk', 'ALL')],
  },
  { name: 'detection-settings' },
];

/** The tables of detection, as `resources/detection.yml` declares them, behind a real engine. */
export async function openDetectionTables() {
  const tables = await createTableStore({ accountId: ACCOUNT, region: REGION });
  for (const { name, attribute, indexes } of TABLES) {
    await tables.create({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', ...(attribute === undefined ? [] : [attribute])].map(
        string,
      ),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      ...(indexes === undefined ? {} : { GlobalSecondaryIndexes: indexes }),
    });
  }
  const server = await serve(dynamoDbOperations({ tables, accountId: ACCOUNT, region: REGION }));
  // as a function, so that it is noted what it has to be granted
  const db = new DynamoDBClient(clientOf(server.url, FUNCTION_KEY));
  return {
    db,
    needs: server.needs,
    close: async () => {
      db.destroy();
      await server.close();
      await tables.close();
    },
  };
}

export const T0 = Date.parse('2026-09-21T00:00:00Z');
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

const INVOCATION: DetectInvocation = {
  getRemainingTimeInMillis: plentyOfTime,
  invokedFunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:tributary-dev-detect`,
};

/** The function as deployed, but for SNS and MQTT, of which it is noted what they were told. */
export async function openDetectWorld() {
  const { db, needs, close } = await openDetectionTables();
  const clock = { nowMs: T0 };
  const now = () => clock.nowMs;
  const tools = patientTools();
  const mqtt: MqttMessage[] = [];
  const sns: (Published & { readonly arn: string })[] = [];
  const letters: DeadLetter[] = [];
  const logged: { readonly level: Level; readonly message: string; readonly fields?: Fields }[] =
    [];
  const devices = detectionTable(db, 'detection', tools, now);
  const looks = lookTable(db, 'detection', tools);
  const ingestion = ingestionTable(db, 'detection', tools);
  const anomalies = anomalyTable(db, 'anomalies', tools);
  const settings = detectionSettingsTable(db, 'detection-settings', tools);
  const log = (level: Level, message: string, fields?: Fields) =>
    void logged.push({ level, message, ...(fields === undefined ? {} : { fields }) });

  /** A container of its own: nothing remembered. */
  const container = (
    changes: Partial<DetectDeps> | ((base: DetectDeps) => Partial<DetectDeps>) = {},
  ) => {
    const base: DetectDeps = {
      devices,
      looks,
      ingestion,
      anomalies,
      settings: settingsDirectory(settings, now, (fleet, problems) =>
        log('error', 'settings that cannot be read do not count', { fleet, problems }),
      ),
      notices: {
        publish: async (arn, items) => {
          sns.push(...items.map((item) => ({ ...item, arn })));
          return [];
        },
      },
      live: {
        publish: async <Message extends MqttMessage>(
          messages: readonly Message[],
        ): Promise<readonly Failure<Message>[]> => {
          mqtt.push(...messages);
          return [];
        },
      },
      anomaliesTopic: 'anomalies',
      stage: 'dev',
      historyMs: 30 * 24 * HOUR_MS,
      deadLetters: {
        send: async (sent) => {
          letters.push(...sent);
          return [];
        },
      },
      log,
      now,
    };
    const deps = { ...base, ...(typeof changes === 'function' ? changes(base) : changes) };
    const run = detect(deps);
    const tick = sweep(deps);
    return {
      take: (event: unknown) => run(event, INVOCATION),
      sweep: () => tick(INVOCATION),
    };
  };

  let sequence = 49_670_000_000_017_900_000_002_500_000_000_000_000_000_000_000_000_000_000n;
  /** An event as the stream hands it out, each record at a place of its own. */
  const eventOf = (readings: readonly Reading[], shard = 'shardId-000000000000') => ({
    Records: readings.map((data) => {
      sequence += 1n;
      const { thing: partitionKey } = data;
      const record = streamRecord('tributary-dev-readings', String(sequence), {
        partitionKey,
        data,
      });
      return {
        ...record,
        eventID: `${shard}:${sequence}`,
        kinesis: { ...record.kinesis, approximateArrivalTimestamp: data.receivedAtMs / 1000 },
      };
    }),
  });

  return {
    db,
    needs,
    clock,
    mqtt,
    sns,
    letters,
    logged,
    devices,
    looks,
    anomalies,
    settings,
    container,
    eventOf,
    /** All anomalies that are recorded, the oldest first. */
    recorded: async () => (await anomalies.list({}, plentyOfTime)).toReversed(),
    kept: async (thing: string) => (await devices.load([thing], plentyOfTime)).kept.get(thing),
    close,
  };
}

let ids = 0;

/** A reading with an id of its own. */
export const readingAt = (
  atMs: number,
  metrics: Reading['metrics'],
  changes: Partial<Reading> = {},
): Reading => {
  ids += 1;
  const { units: _units, ...example } = EXAMPLE_READING;
  return {
    ...example,
    id: createHash('sha256').update(String(ids)).digest('base64url').slice(0, 22),
    observedAtMs: atMs,
    receivedAtMs: atMs,
    metrics,
    ...changes,
  };
};

/** A healthy temperature, each minute from a time on. */
export function healthy(
  count: number,
  fromMs: number,
  { thing = 'probe-1', everyMs = MINUTE_MS, seed = 1 } = {},
): Reading[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, at) =>
    readingAt(
      fromMs + at * everyMs,
      { temperature: 20 + Math.round(10 * (random() + random() + random())) / 10 },
      { thing },
    ),
  );
}
