import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { CLIENT_OPTIONS, KINESIS_OPTIONS } from '../../shared/adapters/client-options.ts';
import { deadLetterQueue } from '../../shared/adapters/dead-letter-queue.ts';
import { deviceTable } from '../../shared/adapters/readings/device-table.ts';
import { fleetDirectory } from '../../shared/adapters/readings/fleet-directory.ts';
import { readingsStream } from '../../shared/adapters/readings/readings-stream.ts';
import { LogLevel, ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import { environment, now, random, sleep, writeLine } from '../../shared/lambda/process.ts';
import { ingest } from './ingest.ts';

const names = readEnvironment(
  {
    READINGS_STREAM: ResourceName,
    SIGNALS_STREAM: ResourceName,
    DEVICES_TABLE: ResourceName,
    DEAD_LETTER_QUEUE: ResourceName,
    LOG_LEVEL: LogLevel,
  },
  environment,
);
const log = createLog(names.LOG_LEVEL, writeLine, now);
const tools = { sleep, random };

const kinesis = new KinesisClient(KINESIS_OPTIONS);
const devices = deviceTable(new DynamoDBClient(CLIENT_OPTIONS), names.DEVICES_TABLE, tools);

export const handler = middy(
  ingest({
    fleets: fleetDirectory(devices, now),
    readings: readingsStream(kinesis, names.READINGS_STREAM, tools),
    signals: readingsStream(kinesis, names.SIGNALS_STREAM, tools),
    deadLetters: deadLetterQueue(new SQSClient(CLIENT_OPTIONS), names.DEAD_LETTER_QUEUE, tools),
    log,
    now,
  }),
).use(logFaults(log));
