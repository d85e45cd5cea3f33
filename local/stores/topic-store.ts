import { AwsError } from '../operations/operation.ts';

/** An SNS topic. */
export interface Topic {
  readonly name: string;
  readonly arn: string;
  readonly displayName: string;
  /** The key it encrypts with, where it is one of the account's own. */
  readonly keyArn?: string;
}

/** What would go to a person, by e-mail or telephone, goes to the log. */
export type Protocol = 'sqs' | 'lambda' | 'email' | 'email-json' | 'sms';

export interface Subscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: Protocol;
  /** ARN of a queue or function, address, or number. */
  readonly endpoint: string;
  /** Whether a queue gets the message as it is, without SNS's envelope. */
  readonly raw: boolean;
}

/** Topics and who listens to them. Errors are `AwsError` with SNS's codes. */
export interface TopicStore {
  readonly topics: () => readonly Topic[];
  readonly topic: (arn: string) => Topic;
  readonly subscriptions: (topicArn?: string) => readonly Subscription[];
  readonly subscription: (arn: string) => Subscription;
}

/** Topics as a template declares them; nobody makes or ends any while the laptop runs. */
export function createTopicStore(
  topics: readonly Topic[],
  subscriptions: readonly Subscription[],
): TopicStore {
  const topicsByArn = new Map(topics.map((topic) => [topic.arn, topic]));
  const subscriptionsByArn = new Map(subscriptions.map((one) => [one.arn, one]));
  return {
    topics: () => topics,
    topic: (arn) => found(topicsByArn.get(arn), 'Topic'),
    subscriptions: (topicArn) =>
      topicArn === undefined
        ? subscriptions
        : subscriptions.filter((one) => one.topicArn === topicArn),
    subscription: (arn) => found(subscriptionsByArn.get(arn), 'Subscription'),
  };
}

function found<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new AwsError('NotFound', `${what} does not exist`, 404);
}
