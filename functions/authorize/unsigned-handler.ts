import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import * as z from 'zod';
import { deviceSecrets } from '../../shared/adapters/access/device-secrets.ts';
import { peppers } from '../../shared/adapters/access/pepper.ts';
import { secretTable } from '../../shared/adapters/access/secret-table.ts';
import { QUICK_OPTIONS } from '../../shared/adapters/client-options.ts';
import { ResourceName, readEnvironment } from '../../shared/lambda/environment.ts';
import { environment, now } from '../../shared/lambda/process.ts';
import { authorize } from './authorize.ts';
import { COMMON_SETTINGS, commonDeps } from './settings.ts';

const ACCEPTS_WANTED = 'wants jwt, password, or both with a comma between';

const settings = readEnvironment(
  {
    ...COMMON_SETTINGS,
    ACCEPTS: z
      .string({ error: ACCEPTS_WANTED })
      .transform((text) => text.split(','))
      .pipe(z.array(z.enum(['jwt', 'password'], { error: ACCEPTS_WANTED }))),
    CREDENTIALS_TABLE: ResourceName,
    PEPPER_KEY: ResourceName,
  },
  environment,
);
const { CREDENTIALS_TABLE: tableName, PEPPER_KEY: keyId } = settings;
const db = new DynamoDBClient(QUICK_OPTIONS);
const table = secretTable(db, tableName);
const pepper = peppers(new KMSClient(QUICK_OPTIONS), table, { keyId, tableName }, now);

/** Behind the authorizers `jwt` and `password`, where AWS IoT checks no signature: anybody on the internet calls it. */
export const handler = authorize({
  ...commonDeps(settings, db),
  accepts: new Set(settings.ACCEPTS),
  whoseSecret: deviceSecrets(table, pepper, now),
});
