import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { CLIENT_OPTIONS } from '../../shared/adapters/client-options.ts';
import { deadLetterQueue } from '../../shared/adapters/dead-letter-queue.ts';
import { deviceTable } from '../../shared/adapters/readings/device-table.ts';
import { readingTable } from '../../shared/adapters/readings/reading-table.ts';
import {
  LogLevel,
  ResourceName,
  readEnvironment,
  WholeDays,
} from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import { environment, now, random, sleep, writeLine } from '../../shared/lambda/process.ts';
import { record } from './record.ts';

const settings = readEnvironment(
  {
    READINGS_TABLE: ResourceName,
    DEVICES_TABLE: ResourceName,
    DEAD_LETTER_QUEUE: ResourceName,
    HISTORY_DAYS: WholeDays,
    LOG_LEVEL: LogLevel,
  },
  environment,
);
const log = createLog(settings.LOG_LEVEL, writeLine, now);
const tools = { sleep, random };
const db = new DynamoDBClient(CLIENT_OPTIONS);

export const handler = middy(
  record({
    history: readingTable(db, settings.READINGS_TABLE, settings.HISTORY_DAYS, tools),
    devices: deviceTable(db, settings.DEVICES_TABLE, tools),
    deadLetters: deadLetterQueue(new SQSClient(CLIENT_OPTIONS), settings.DEAD_LETTER_QUEUE, tools),
    log,
    now,
  }),
).use(logFaults(log));
