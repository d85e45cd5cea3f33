import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { enrolmentTable } from '../../shared/adapters/access/enrolment-table.ts';
import { QUICK_OPTIONS } from '../../shared/adapters/client-options.ts';
import { denials } from '../../shared/adapters/security/denials.ts';
import { LogLevel, ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { environment, now, writeLine } from '../../shared/lambda/process.ts';
import { provision } from './provision.ts';

const settings = readEnvironment(
  {
    CREDENTIALS_TABLE: ResourceName,
    INCIDENTS_TABLE: ResourceName,
    TEMPLATE_NAME: ResourceName,
    LOG_LEVEL: LogLevel,
  },
  environment,
);

const db = new DynamoDBClient(QUICK_OPTIONS);

export const handler = provision({
  enrolments: enrolmentTable(db, settings.CREDENTIALS_TABLE),
  denialOf: denials(db, settings.INCIDENTS_TABLE),
  templateName: settings.TEMPLATE_NAME,
  log: createLog(settings.LOG_LEVEL, writeLine, now),
  now,
});
