import type { Operation } from '../operation.ts';
import type { DynamoDbDeps } from './access.ts';
import { batchGetItem, batchWriteItem } from './batch-calls.ts';
import { describeTimeToLive } from './describe-time-to-live.ts';
import { engineCalls } from './engine-calls.ts';
import { refusedCalls } from './refused-calls.ts';
import { updateTimeToLive } from './update-time-to-live.ts';

export { type DynamoDbDeps, needs } from './access.ts';

/** DynamoDB over AWS JSON 1.0; what the laptop lacks is among them, to be refused by name. */
export const dynamoDbOperations = (deps: DynamoDbDeps): Operation[] => [
  ...engineCalls(deps),
  batchGetItem(deps),
  batchWriteItem(deps),
  describeTimeToLive(deps),
  updateTimeToLive(deps),
  ...refusedCalls(),
];
