import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import * as z from 'zod';
import { CLIENT_OPTIONS } from '../../shared/adapters/client-options.ts';
import { deadLetterQueue } from '../../shared/adapters/dead-letter-queue.ts';
import { deviceTable } from '../../shared/adapters/readings/device-table.ts';
import { fleetDirectory } from '../../shared/adapters/readings/fleet-directory.ts';
import { connectionTable } from '../../shared/adapters/security/connection-table.ts';
import { guardTable } from '../../shared/adapters/security/guard-table.ts';
import { statisticsTable } from '../../shared/adapters/security/statistics-table.ts';
import { topic } from '../../shared/adapters/topic.ts';
import { DEFAULT_PROFILES } from '../../shared/core/security/default-profiles.ts';
import { parseProfiles } from '../../shared/core/security/profile.ts';
import { LogLevel, ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import { environment, now, random, sleep, writeLine } from '../../shared/lambda/process.ts';
import { guard } from './guard.ts';

const settings = readEnvironment(
  {
    GUARD_TABLE: ResourceName,
    DEVICES_TABLE: ResourceName,
    FINDINGS_TOPIC: ResourceName,
    DEAD_LETTER_QUEUE: ResourceName,
    /** `default`, or a JSON list of security profiles in their place. */
    SECURITY_PROFILES: z.string({ error: 'wants default, or a JSON list of security profiles' }),
    LOG_LEVEL: LogLevel,
  },
  environment,
);
const log = createLog(settings.LOG_LEVEL, writeLine, now);
const tools = { sleep, random };
const db = new DynamoDBClient(CLIENT_OPTIONS);

export const handler = middy(
  guard({
    profiles: parseProfiles(settings.SECURITY_PROFILES, DEFAULT_PROFILES),
    fleets: fleetDirectory(deviceTable(db, settings.DEVICES_TABLE, tools), now),
    devices: guardTable(db, settings.GUARD_TABLE, tools),
    connections: connectionTable(db, settings.DEVICES_TABLE, tools),
    statistics: statisticsTable(db, settings.GUARD_TABLE, tools, now),
    findings: topic(new SNSClient(CLIENT_OPTIONS), tools),
    findingsTopic: settings.FINDINGS_TOPIC,
    deadLetters: deadLetterQueue(new SQSClient(CLIENT_OPTIONS), settings.DEAD_LETTER_QUEUE, tools),
    log,
    now,
  }),
).use(logFaults(log));
