import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import middy from '@middy/core';
import * as z from 'zod';
import { registry } from '../../shared/adapters/access/registry.ts';
import { rotationTable } from '../../shared/adapters/access/rotation-table.ts';
import { CLIENT_OPTIONS } from '../../shared/adapters/client-options.ts';
import { denials } from '../../shared/adapters/security/denials.ts';
import { parseAuthorities } from '../../shared/core/access/authorities.ts';
import { LogLevel, ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import { environment, now, random, sleep, writeLine } from '../../shared/lambda/process.ts';
import { register } from './register.ts';

const settings = readEnvironment(
  {
    /** JSON, see `parseAuthorities`. */
    AUTHORITIES: z.string({ error: 'wants a JSON list of authorities' }),
    CREDENTIALS_TABLE: ResourceName,
    DEVICE_POLICY: ResourceName,
    /** Empty where the policy of devices is whole. */
    DEVICE_HTTPS_POLICY: z.string(),
    INCIDENTS_TABLE: ResourceName,
    LOG_LEVEL: LogLevel,
  },
  environment,
);
const log = createLog(settings.LOG_LEVEL, writeLine, now);
const tools = { sleep, random };
const db = new DynamoDBClient(CLIENT_OPTIONS);

export const handler = middy(
  register({
    authorities: parseAuthorities(settings.AUTHORITIES),
    registry: registry(new IoTClient(CLIENT_OPTIONS), tools),
    rotations: rotationTable(db, settings.CREDENTIALS_TABLE, tools),
    denialOf: denials(db, settings.INCIDENTS_TABLE),
    policyNames: [settings.DEVICE_POLICY, settings.DEVICE_HTTPS_POLICY].filter(
      (name) => name !== '',
    ),
    log,
    now,
  }),
).use(logFaults(log));
