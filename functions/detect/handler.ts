import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import * as z from 'zod';
import { CLIENT_OPTIONS } from '../../shared/adapters/client-options.ts';
import { deadLetterQueue } from '../../shared/adapters/dead-letter-queue.ts';
import { anomalyTable } from '../../shared/adapters/detection/anomaly-table.ts';
import {
  detectionSettingsTable,
  settingsDirectory,
} from '../../shared/adapters/detection/detection-settings-table.ts';
import { detectionTable } from '../../shared/adapters/detection/detection-table.ts';
import { ingestionTable } from '../../shared/adapters/detection/ingestion-table.ts';
import { lookTable } from '../../shared/adapters/detection/look-table.ts';
import { mqttTopics } from '../../shared/adapters/detection/mqtt-topics.ts';
import { topic } from '../../shared/adapters/topic.ts';
import type { BatchResponse } from '../../shared/lambda/batch.ts';
import {
  LogLevel,
  ResourceName,
  readEnvironment,
  WholeDays,
} from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import { environment, now, random, sleep, writeLine } from '../../shared/lambda/process.ts';
import { type DetectInvocation, detect } from './detect.ts';
import { sweep } from './sweep.ts';

const DAY_MS = 86_400_000;

const settings = readEnvironment(
  {
    STAGE: ResourceName,
    DETECTION_TABLE: ResourceName,
    ANOMALIES_TABLE: ResourceName,
    SETTINGS_TABLE: ResourceName,
    ANOMALIES_TOPIC: ResourceName,
    DEAD_LETTER_QUEUE: ResourceName,
    /** How long an anomaly that is over is kept. */
    HISTORY_DAYS: WholeDays,
    LOG_LEVEL: LogLevel,
  },
  environment,
);
const log = createLog(settings.LOG_LEVEL, writeLine, now);
const tools = { sleep, random };
const db = new DynamoDBClient(CLIENT_OPTIONS);

const deps = {
  devices: detectionTable(db, settings.DETECTION_TABLE, tools, now),
  looks: lookTable(db, settings.DETECTION_TABLE, tools),
  ingestion: ingestionTable(db, settings.DETECTION_TABLE, tools),
  anomalies: anomalyTable(db, settings.ANOMALIES_TABLE, tools),
  settings: settingsDirectory(
    detectionSettingsTable(db, settings.SETTINGS_TABLE, tools),
    now,
    (fleet, problems) =>
      log('error', 'settings that cannot be read do not count', { fleet, problems }),
  ),
  notices: topic(new SNSClient(CLIENT_OPTIONS), tools),
  live: mqttTopics(new IoTDataPlaneClient(CLIENT_OPTIONS), tools),
  anomaliesTopic: settings.ANOMALIES_TOPIC,
  stage: settings.STAGE,
  historyMs: settings.HISTORY_DAYS * DAY_MS,
  deadLetters: deadLetterQueue(new SQSClient(CLIENT_OPTIONS), settings.DEAD_LETTER_QUEUE, tools),
  log,
  now,
};
const onReadings = detect(deps);
const onSchedule = sweep(deps);

/** What the schedule sends; all else is the stream's. */
const Tick = z.object({ tick: z.literal('sweep') });

export const handler = middy(
  async (event: unknown, invocation: DetectInvocation): Promise<BatchResponse | undefined> => {
    if (!Tick.safeParse(event).success) return onReadings(event, invocation);
    await onSchedule(invocation);
    return undefined;
  },
).use(logFaults(log));
