import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { CLIENT_OPTIONS } from '../../shared/adapters/client-options.ts';
import { deadLetterQueue } from '../../shared/adapters/dead-letter-queue.ts';
import { announcer } from '../../shared/adapters/security/announcer.ts';
import { containment } from '../../shared/adapters/security/containment.ts';
import { incidentTable } from '../../shared/adapters/security/incident-table.ts';
import { stormTable } from '../../shared/adapters/security/storm-table.ts';
import { topic } from '../../shared/adapters/topic.ts';
import { BUDGET_LIMITS } from '../../shared/core/security/budget.ts';
import { readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import { environment, now, random, sleep, uuid, writeLine } from '../../shared/lambda/process.ts';
import { defend } from './defend.ts';
import { SETTINGS } from './settings.ts';

const settings = readEnvironment(SETTINGS, environment);
const log = createLog(settings.LOG_LEVEL, writeLine, now);
const tools = { sleep, random };

const announce =
  settings.EVENT_BUS === 'none'
    ? async () => {}
    : announcer(new EventBridgeClient(CLIENT_OPTIONS), settings.EVENT_BUS, tools);

const db = new DynamoDBClient(CLIENT_OPTIONS);

export const handler = middy(
  defend({
    incidents: incidentTable(db, settings.INCIDENTS_TABLE, tools),
    storms: stormTable(db, settings.INCIDENTS_TABLE, tools),
    containment: containment(
      new IoTClient(CLIENT_OPTIONS),
      new IoTDataPlaneClient(CLIENT_OPTIONS),
      tools,
    ),
    notifications: topic(new SNSClient(CLIENT_OPTIONS), tools),
    announce,
    findingsTopic: settings.FINDINGS_TOPIC,
    notificationsTopic: settings.NOTIFICATIONS_TOPIC,
    quarantinePolicy: settings.QUARANTINE_POLICY,
    mode: settings.CONTAINMENT,
    ladder: settings.LADDER,
    spared: settings.SPARED_THINGS,
    suppressed: settings.SUPPRESSED_BEHAVIORS,
    quietHours: settings.QUIET_HOURS,
    limits: BUDGET_LIMITS,
    alertsLimit: settings.ALERTS_LIMIT,
    deadLetters: deadLetterQueue(new SQSClient(CLIENT_OPTIONS), settings.DEAD_LETTER_QUEUE, tools),
    log,
    now,
    uuid,
    giveWay: (tries) => sleep(random() * Math.min(500, 10 * 2 ** tries)),
  }),
).use(logFaults(log));
