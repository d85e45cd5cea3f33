import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { QUICK_OPTIONS } from '../../shared/adapters/client-options.ts';
import { refuse } from '../../shared/core/access/refused.ts';
import { readEnvironment } from '../../shared/lambda/environment.ts';
import { environment } from '../../shared/lambda/process.ts';
import { authorize } from './authorize.ts';
import { COMMON_SETTINGS, commonDeps } from './settings.ts';

const settings = readEnvironment(COMMON_SETTINGS, environment);

/** Behind the authorizer `signed`: tokens whose signature AWS IoT has checked. It asks issuers for keys, and whether a thing is contained. */
export const handler = authorize({
  ...commonDeps(settings, new DynamoDBClient(QUICK_OPTIONS)),
  accepts: new Set(['signed']),
  whoseSecret: async () => refuse('CREDENTIAL_NOT_ACCEPTED', 'token', 'wants a token'),
});
