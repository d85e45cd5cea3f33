import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import middy from '@middy/core';
import * as z from 'zod';
import { registry } from '../../shared/adapters/access/registry.ts';
import { rotationTable } from '../../shared/adapters/access/rotation-table.ts';
import { CLIENT_OPTIONS } from '../../shared/adapters/client-options.ts';
import { LogLevel, ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import { environment, now, random, sleep, writeLine } from '../../shared/lambda/process.ts';
import { rotation } from './rotation.ts';

const settings = readEnvironment(
  {
    CREDENTIALS_TABLE: ResourceName,
    DEVICE_POLICY: ResourceName,
    /** Empty where the policy of devices is whole. */
    DEVICE_HTTPS_POLICY: z.string(),
    LOG_LEVEL: LogLevel,
  },
  environment,
);
const log = createLog(settings.LOG_LEVEL, writeLine, now);
const tools = { sleep, random };

export const handler = middy(
  rotation({
    rotations: rotationTable(new DynamoDBClient(CLIENT_OPTIONS), settings.CREDENTIALS_TABLE, tools),
    registry: registry(new IoTClient(CLIENT_OPTIONS), tools),
    policyNames: [settings.DEVICE_POLICY, settings.DEVICE_HTTPS_POLICY].filter(
      (name) => name !== '',
    ),
    log,
  }),
).use(logFaults(log));
