import type { Operation } from '../operation.ts';
import type { SnsDeps } from './access.ts';
import { getSubscriptionAttributes, getTopicAttributes } from './get-attributes.ts';
import { listSubscriptions, listSubscriptionsByTopic } from './list-subscriptions.ts';
import { listTopics } from './list-topics.ts';
import { publish } from './publish.ts';
import { publishBatch } from './publish-batch.ts';

export { publishNeeds } from './access.ts';

const OPERATIONS = [
  getSubscriptionAttributes,
  getTopicAttributes,
  listSubscriptions,
  listSubscriptionsByTopic,
  listTopics,
  publish,
  publishBatch,
];

/** SNS over AWS's query protocol: publishing, and reading what the template declares. */
export const snsOperations = (deps: SnsDeps): Operation[] =>
  OPERATIONS.map((create) => create(deps));
