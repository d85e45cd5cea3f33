import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { KMSClient } from '@aws-sdk/client-kms';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { CLIENT_OPTIONS, KINESIS_OPTIONS } from '../../shared/adapters/client-options.ts';
import { deadLetterQueue } from '../../shared/adapters/dead-letter-queue.ts';
import { codecTable } from '../../shared/adapters/lorawan/codec-table.ts';
import { payloadKeys } from '../../shared/adapters/lorawan/payload-keys.ts';
import { sessionTable } from '../../shared/adapters/lorawan/session-table.ts';
import { readingsStream } from '../../shared/adapters/readings/readings-stream.ts';
import { CodecRuntime } from '../../shared/codec-runtime/codec-runtime.ts';
import { readEngine } from '../../shared/codec-runtime/engine-file.ts';
import { LogLevel, ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import {
  elapsedMs,
  environment,
  now,
  packageRoot,
  random,
  sleep,
  writeLine,
} from '../../shared/lambda/process.ts';
import { decode } from './decode.ts';

const names = readEnvironment(
  {
    STAGE: ResourceName,
    READINGS_STREAM: ResourceName,
    SIGNALS_STREAM: ResourceName,
    CODECS_TABLE: ResourceName,
    SESSIONS_TABLE: ResourceName,
    DEAD_LETTER_QUEUE: ResourceName,
    LOG_LEVEL: LogLevel,
  },
  environment,
);
const log = createLog(names.LOG_LEVEL, writeLine, now);
const tools = { sleep, random };

const db = new DynamoDBClient(CLIENT_OPTIONS);
const kinesis = new KinesisClient(KINESIS_OPTIONS);
const codecs = codecTable(db, names.CODECS_TABLE, tools);

export const handler = middy(
  decode({
    codecs,
    sessions: sessionTable(db, names.SESSIONS_TABLE, tools, now),
    keys: payloadKeys(
      new KMSClient(CLIENT_OPTIONS),
      codecs,
      `tributary-${names.STAGE}`,
      tools,
      now,
    ),
    readings: readingsStream(kinesis, names.READINGS_STREAM, tools),
    signals: readingsStream(kinesis, names.SIGNALS_STREAM, tools),
    deadLetters: deadLetterQueue(new SQSClient(CLIENT_OPTIONS), names.DEAD_LETTER_QUEUE, tools),
    runtime: new CodecRuntime(readEngine(packageRoot), elapsedMs),
    log,
    now,
  }),
).use(logFaults(log));
