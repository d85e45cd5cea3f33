import { IoTClient } from '@aws-sdk/client-iot';
import middy from '@middy/core';
import { registry } from '../../shared/adapters/access/registry.ts';
import { CLIENT_OPTIONS } from '../../shared/adapters/client-options.ts';
import { LogLevel, ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { logFaults } from '../../shared/lambda/log-faults.ts';
import { environment, now, random, sleep, writeLine } from '../../shared/lambda/process.ts';
import { dashboard } from './dashboard.ts';

const settings = readEnvironment(
  { DASHBOARD_POLICY: ResourceName, LOG_LEVEL: LogLevel },
  environment,
);
const log = createLog(settings.LOG_LEVEL, writeLine, now);

export const handler = middy(
  dashboard({
    registry: registry(new IoTClient(CLIENT_OPTIONS), { sleep, random }),
    policyName: settings.DASHBOARD_POLICY,
    log,
  }),
).use(logFaults(log));
