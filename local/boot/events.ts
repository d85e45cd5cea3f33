import type { ResolvedStack } from '../core/template/index.ts';
import { eventsOperations } from '../operations/events/index.ts';
import type { Operation } from '../operations/operation.ts';
import { publishNeeds } from '../operations/sns/index.ts';
import { callerArn } from '../operations/sts/caller-arn.ts';
import { type BusEvent, createEventBus, declaredEventRule } from '../runtime/event-bus.ts';
import { serviceOf } from '../runtime/lambda-authorize.ts';
import { serviceMayInvoke } from '../runtime/lambda-permission.ts';
import type { Publish } from '../runtime/topics/publisher.ts';
import type { TopicStore } from '../stores/topic-store.ts';
import type { Exchange } from './exchange.ts';
import { keyArnOf } from './keys.ts';
import type { ResourcePolicies } from './resource-policies.ts';
import { arnOf, collectProblems, ofType } from './resources.ts';
import { waitsForEvents } from './schedules.ts';
import type { World } from './world.ts';

export interface EventsOptions {
  readonly exchange: Exchange;
  readonly policies: ResourcePolicies;
  readonly topics: TopicStore;
  readonly publish: Publish;
  readonly onEvent?: ((event: BusEvent) => void) | undefined;
}

export interface Events {
  readonly operations: readonly Operation[];
  /** The same operations; those that change something in AWS IoT are told to EventBridge, if the template has a trail. */
  readonly recorded: (operations: readonly Operation[]) => readonly Operation[];
}

const EVENTS = 'events.amazonaws.com';

/**
 * The template's rules for events, behind PutEvents and behind what a trail tells of.
 *
 * @throws {BootError} naming what is wrong or not supported
 */
export function openEvents(stack: ResolvedStack, world: World, options: EventsOptions): Events {
  const { accountId, region, now, uuid, log } = world;
  const bus = createEventBus({
    rules: collectProblems(() =>
      ofType(stack, 'AWS::Events::Rule')
        .filter(waitsForEvents)
        .flatMap((rule) => declaredEventRule(rule) ?? []),
    ),
    buses: ofType(stack, 'AWS::Events::EventBus').map(({ name }) => name),
    deliver: options.exchange.deliver,
    missingGrant: grantsOf(stack, world, options),
    log,
    ...(options.onEvent && { onEvent: options.onEvent }),
  });
  const isTrailed = ofType(stack, 'AWS::CloudTrail::Trail').some(
    ({ properties }) => properties['IsLogging'] === true,
  );
  const tell = (call: Recorded): void => {
    bus
      .put('default', trailEvent(call, { accountId, region, id: uuid(), nowMs: now() }))
      .catch((error: unknown) => {
        const message = `a call could not be told to EventBridge: ${String(error)}`;
        log({ level: 'error', source: 'events', message });
      });
  };
  return {
    operations: eventsOperations({ bus, accountId, region, now, uuid }),
    recorded: (operations) =>
      isTrailed ? operations.map((operation) => recording(operation, tell)) : operations,
  };
}

/** Why EventBridge may not bring events to a target, by the policies of topic, queue, key and function. */
function grantsOf(
  stack: ResolvedStack,
  world: World,
  { policies, topics, publish }: EventsOptions,
): (targetArn: string, ruleArn: string) => string | undefined {
  const { accountId } = world;
  const permissions = ofType(stack, 'AWS::Lambda::Permission').map(({ properties }) => properties);
  const queueKeys = new Map(
    ofType(stack, 'AWS::SQS::Queue').map((queue) => [
      arnOf(queue),
      keyArnOf(stack, queue.properties['KmsMasterKeyId']),
    ]),
  );
  const needsOf = (arn: string) => {
    if (serviceOf(arn) === 'sns') return publishNeeds({ ...world, topics, publish }, arn);
    const keyArn = queueKeys.get(arn);
    const actions = keyArn === undefined ? [] : ['kms:GenerateDataKey', 'kms:Decrypt'];
    return [
      { action: 'sqs:SendMessage', resource: arn },
      ...actions.map((action) => ({ action, resource: keyArn ?? '' })),
    ];
  };
  return (targetArn, ruleArn) => {
    if (serviceOf(targetArn) === 'lambda') {
      const invocation = { functionArn: targetArn, sourceArn: ruleArn, accountId };
      return serviceMayInvoke(EVENTS, permissions, invocation)
        ? undefined
        : `no AWS::Lambda::Permission of ${targetArn} allows it for ${EVENTS}`;
    }
    const denied = needsOf(targetArn).find(
      (need) => !policies.authorizeService(EVENTS, need, { arn: ruleArn, accountId }).allowed,
    );
    return denied && `no policy of ${denied.resource} allows ${denied.action} for ${EVENTS}`;
  };
}

interface Recorded {
  readonly name: string;
  readonly input: unknown;
  readonly caller: Parameters<typeof callerArn>[0];
}

/** A call of the control plane that changes something, once it has worked. */
function recording(operation: Operation, tell: (call: Recorded) => void): Operation {
  const { route } = operation;
  if (!('path' in route) || route.service !== 'iot' || route.method === 'GET') return operation;
  return {
    ...operation,
    async run(request) {
      const output = await operation.run(request);
      const { input, caller } = request;
      const action = operation.needs(input)[0]?.action ?? '';
      tell({ name: action.replace(/^iot:/, ''), input, caller });
      return output;
    },
  };
}

/** @see EventBridge User Guide, "AWS service events delivered via AWS CloudTrail" */
function trailEvent(
  { name, input, caller }: Recorded,
  at: {
    readonly accountId: string;
    readonly region: string;
    readonly id: string;
    readonly nowMs: number;
  },
): BusEvent {
  const { accountId, region, id, nowMs } = at;
  const time = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return {
    version: '0',
    id,
    'detail-type': 'AWS API Call via CloudTrail',
    source: 'aws.iot',
    account: accountId,
    time,
    region,
    resources: [],
    detail: {
      eventVersion: '1.11',
      userIdentity: {
        type: caller.kind === 'operator' ? 'Root' : 'AssumedRole',
        arn: callerArn(caller),
        accountId,
      },
      eventTime: time,
      eventSource: 'iot.amazonaws.com',
      eventName: name,
      awsRegion: region,
      sourceIPAddress: '127.0.0.1',
      requestParameters: input,
      responseElements: null,
      eventID: id,
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: accountId,
      eventCategory: 'Management',
    },
  };
}
