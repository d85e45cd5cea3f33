import { randomUUID } from 'node:crypto';
import { defend } from '../../functions/defend/defend.ts';
import type { DefendDeps } from '../../functions/defend/run.ts';
import type { Published } from '../../shared/adapters/topic.ts';
import { BUDGET_LIMITS } from '../../shared/core/security/budget.ts';
import { DEFAULT_LADDER, type ThingFacts } from '../../shared/core/security/containment.ts';
import type { Finding } from '../../shared/core/security/finding.ts';
import { memoryContainment, memoryIncidents, memoryLetters } from './security-world.ts';

export const T0 = 1_790_000_000_000;
export const ACCOUNT = '000000000000';
export const TOPIC = `arn:aws:sns:eu-central-1:${ACCOUNT}:tributary-dev-findings`;
export const INVOKED = `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:tributary-dev-defend`;

export const certificateOf = (thing: string): string =>
  Buffer.from(thing).toString('hex').padEnd(64, '0');

export const device = (thing: string, changes: Partial<ThingFacts> = {}): [string, ThingFacts] => [
  thing,
  {
    fleet: 'acme',
    criticality: 'normal',
    isGateway: false,
    certificates: [certificateOf(thing)],
    sharedWith: [],
    ...changes,
  },
];

/** `defend` with plain objects around it, and everything that came of it. */
export function defendWorld(changes: Partial<DefendDeps> = {}, things = [device('probe-1')]) {
  const clock = { nowMs: T0 };
  const { table, incidents, denials, storms, affected } = memoryIncidents();
  const { containment, acts, status } = memoryContainment(new Map(things));
  const { letters, deadLetters } = memoryLetters();
  const told: Published[] = [];
  const handle = defend({
    incidents: table,
    storms,
    containment,
    notifications: {
      publish: async (_arn, items) => {
        told.push(...items);
        return [];
      },
    },
    announce: async () => {},
    findingsTopic: 'tributary-dev-findings',
    notificationsTopic: 'tributary-dev-notifications',
    quarantinePolicy: 'tributary-dev-quarantine',
    mode: 'contain',
    ladder: DEFAULT_LADDER,
    spared: new Set(),
    suppressed: new Set(),
    quietHours: { fromHour: 0, toHour: 0 },
    limits: BUDGET_LIMITS,
    alertsLimit: 50,
    deadLetters,
    log: () => {},
    now: () => clock.nowMs,
    uuid: randomUUID,
    giveWay: () => new Promise((resolve) => setImmediate(resolve)),
    ...changes,
  });
  let sent = 0;
  const nextId = () => {
    sent += 1;
    return `m-${sent}`;
  };
  const invoke = (messages: readonly Message[]) =>
    handle(queueEvent(messages, nextId), {
      getRemainingTimeInMillis: () => 60_000,
      invokedFunctionArn: INVOKED,
    });
  const run = (...findings: readonly Finding[]) =>
    invoke(findings.map((finding) => ({ message: JSON.stringify(finding) })));
  const sweep = () =>
    handle(
      { tick: 'sweep' },
      { getRemainingTimeInMillis: () => 60_000, invokedFunctionArn: INVOKED },
    );
  return {
    run,
    invoke,
    sweep,
    clock,
    incidents,
    denials,
    affected,
    acts,
    status,
    letters,
    told,
    table,
  };
}

interface Message {
  readonly message: string;
  readonly topic?: string;
  readonly account?: string;
}

const queueEvent = (messages: readonly Message[], id: () => string) => ({
  Records: messages.map(({ message, topic = TOPIC, account = ACCOUNT }) => ({
    messageId: id(),
    body: JSON.stringify({ Type: 'Notification', TopicArn: topic, Message: message }),
    eventSourceARN: `arn:aws:sqs:eu-central-1:${account}:tributary-dev-findings`,
  })),
});

/** A finding of guard: too many messages. */
export const flood = (thing = 'probe-1', at = 0, changes: Partial<Finding> = {}): Finding => ({
  violationEventTime: T0 + at,
  thingName: thing,
  behavior: {
    name: 'messages-sent',
    metric: 'aws:num-messages-sent',
    criteria: { comparisonOperator: 'less-than-equals', value: { count: 300 } },
  },
  violationEventType: 'in-alarm',
  metricValue: { count: 400 },
  violationId: `${thing}-${at}`,
  securityProfileName: 'tributary-fleet',
  ...changes,
});
