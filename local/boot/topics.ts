import * as z from 'zod';
import type { Log } from '../core/log.ts';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import { serviceMayInvoke } from '../runtime/lambda-permission.ts';
import { createPublisher, type Publish, type PublisherDeps } from '../runtime/topics/publisher.ts';
import {
  createTopicStore,
  type Subscription,
  type Topic,
  type TopicStore,
} from '../stores/topic-store.ts';
import { keyArnOf } from './keys.ts';
import type { ResourcePolicies } from './resource-policies.ts';
import { arnOf, BootError, ofType, propertiesOf } from './resources.ts';

const absent = (why: string) => z.undefined(why).optional();

const Protocol = z.enum(
  ['sqs', 'lambda', 'email', 'email-json', 'sms'],
  'the laptop delivers to sqs and lambda, and writes email and sms to its log',
);

const TopicProperties = z.strictObject({
  TopicName: z.string().optional(),
  DisplayName: z.string().default(''),
  KmsMasterKeyId: z.string().optional(),
  Subscription: z.array(z.strictObject({ Protocol, Endpoint: z.string() })).default([]),
  FifoTopic: z.literal(false, 'the laptop has standard topics only').optional(),
  Tags: z.unknown().optional(),
  TracingConfig: z.unknown().optional(),
  /** Notifications are not signed here, whichever version they would have. */
  SignatureVersion: z.unknown().optional(),
});

const filters = absent('the laptop does not filter the messages of a subscription');

const SubscriptionProperties = z.strictObject({
  TopicArn: z.string(),
  Protocol,
  Endpoint: z.string(),
  RawMessageDelivery: z
    .union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
    .default(false),
  FilterPolicy: filters,
  FilterPolicyScope: filters,
  RedrivePolicy: absent('the laptop has no dead-letter queues of subscriptions'),
  DeliveryPolicy: absent('the laptop does not deliver to HTTP endpoints'),
  ReplayPolicy: absent('the laptop has standard topics only, which keep nothing'),
  SubscriptionRoleArn: absent('the laptop does not deliver to Firehose from a topic'),
  Region: z.string().optional(),
});

function declaredTopics(stack: ResolvedStack): TopicStore {
  const declared = ofType(stack, 'AWS::SNS::Topic');
  return createTopicStore(
    declared.map((topic) => topicOf(topic, stack)),
    [
      ...declared.flatMap(inlineSubscriptions),
      ...ofType(stack, 'AWS::SNS::Subscription').map(subscriptionOf),
    ],
  );
}

function topicOf(topic: ResolvedResource, stack: ResolvedStack): Topic {
  const { DisplayName, KmsMasterKeyId } = propertiesOf(topic, TopicProperties);
  const keyArn = keyArnOf(stack, KmsMasterKeyId);
  return {
    name: topic.name,
    arn: arnOf(topic),
    displayName: DisplayName,
    ...(keyArn !== undefined && { keyArn }),
  };
}

const inlineSubscriptions = (topic: ResolvedResource): Subscription[] =>
  propertiesOf(topic, TopicProperties).Subscription.map(({ Protocol: protocol, Endpoint }, at) => ({
    arn: `${arnOf(topic)}:00000000-0000-4000-a000-${String(at).padStart(12, '0')}`,
    topicArn: arnOf(topic),
    protocol,
    endpoint: Endpoint,
    raw: false,
  }));

function subscriptionOf(resource: ResolvedResource): Subscription {
  const declared = propertiesOf(resource, SubscriptionProperties);
  const { TopicArn, Protocol: protocol, Endpoint, RawMessageDelivery } = declared;
  if (RawMessageDelivery && protocol !== 'sqs') {
    throw new BootError([`${resource.logicalId}.RawMessageDelivery: only queues can have it here`]);
  }
  return {
    arn: arnOf(resource),
    topicArn: TopicArn,
    protocol,
    endpoint: Endpoint,
    raw: RawMessageDelivery,
  };
}

export interface TopicOptions extends Pick<PublisherDeps, 'send' | 'invokeAsync' | 'now' | 'uuid'> {
  readonly policies: ResourcePolicies;
  readonly accountId: string;
  readonly log: Log;
}

const SNS = 'sns.amazonaws.com';

/**
 * The template's topics. Whom SNS may not deliver to is said at the start, where AWS never says it.
 *
 * @throws {BootError} naming what is wrong or not supported
 */
export function openTopics(
  stack: ResolvedStack,
  options: TopicOptions,
): { readonly topics: TopicStore; readonly publish: Publish } {
  const topics = declaredTopics(stack);
  const missingGrant = grantsOf(stack, options);
  for (const subscription of topics.subscriptions()) {
    const problem = missingGrant(subscription);
    if (problem === undefined) continue;
    const message = `${subscription.topicArn} cannot deliver to ${subscription.endpoint}: ${problem}`;
    options.log({ level: 'error', source: 'sns', message });
  }
  return { topics, publish: createPublisher({ ...options, topics, missingGrant }) };
}

function grantsOf(
  stack: ResolvedStack,
  { policies, accountId }: TopicOptions,
): PublisherDeps['missingGrant'] {
  const permissions = ofType(stack, 'AWS::Lambda::Permission').map(({ properties }) => properties);
  const keyArns = new Map(
    ofType(stack, 'AWS::SQS::Queue').map((queue) => [
      arnOf(queue),
      keyArnOf(stack, queue.properties['KmsMasterKeyId']),
    ]),
  );
  return ({ protocol, endpoint, topicArn }) => {
    if (protocol === 'lambda') {
      const invocation = { functionArn: endpoint, sourceArn: topicArn, accountId };
      return serviceMayInvoke(SNS, permissions, invocation)
        ? undefined
        : `no AWS::Lambda::Permission of ${endpoint} allows it for ${SNS}`;
    }
    if (protocol !== 'sqs') return undefined;
    const keyArn = keyArns.get(endpoint);
    const keyActions = keyArn === undefined ? [] : ['kms:GenerateDataKey', 'kms:Decrypt'];
    const needs = [
      { action: 'sqs:SendMessage', resource: endpoint },
      ...keyActions.map((action) => ({ action, resource: keyArn ?? '' })),
    ];
    const source = { arn: topicArn, accountId };
    const denied = needs.find((need) => !policies.authorizeService(SNS, need, source).allowed);
    return denied && `no policy of ${denied.resource} allows ${denied.action} for ${SNS}`;
  };
}
