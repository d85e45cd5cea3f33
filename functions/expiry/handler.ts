import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import middy from '@middy/core';
import { expiryTable } from '../../shared/adapters/access/expiry-table.ts';
import { registry } from '../../shared/adapters/access/registry.ts';
import { CLIENT_OPTIONS } from '../../shared/adapters/client-options.ts';
import { LogLevel, ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import { environment, now, random, sleep, writeLine } from '../../shared/lambda/process.ts';
import { expiry } from './expiry.ts';

const settings = readEnvironment(
  {
    STAGE: ResourceName,
    CREDENTIALS_TABLE: ResourceName,
    DEVICE_POLICY: ResourceName,
    LOG_LEVEL: LogLevel,
  },
  environment,
);
const log = createLog(settings.LOG_LEVEL, writeLine, now);
const tools = { sleep, random };

export const handler = middy(
  expiry({
    registry: registry(new IoTClient(CLIENT_OPTIONS), tools),
    table: expiryTable(new DynamoDBClient(CLIENT_OPTIONS), settings.CREDENTIALS_TABLE, tools),
    policyName: settings.DEVICE_POLICY,
    stage: settings.STAGE,
    log,
    now,
    sleep,
  }),
).use(logFaults(log));
