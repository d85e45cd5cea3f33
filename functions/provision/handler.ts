import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { QUICK_OPTIONS } from '../../shared/adapters/client-options.ts';
import { enrolmentTable } from '../../shared/adapters/enrolment-table.ts';
import { LogLevel, ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { environment, now, writeLine } from '../../shared/lambda/process.ts';
import { provision } from './provision.ts';

const settings = readEnvironment(
  { CREDENTIALS_TABLE: ResourceName, TEMPLATE_NAME: ResourceName, LOG_LEVEL: LogLevel },
  environment,
);

export const handler = provision({
  enrolments: enrolmentTable(new DynamoDBClient(QUICK_OPTIONS), settings.CREDENTIALS_TABLE),
  templateName: settings.TEMPLATE_NAME,
  log: createLog(settings.LOG_LEVEL, writeLine, now),
  now,
});
