import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterEach, expect, it } from '@jest/globals';
import { eventsOperations } from '../../../../local/operations/events/index.ts';
import {
  type BusEvent,
  createEventBus,
  declaredEventRule,
  type EventRule,
} from '../../../../local/runtime/event-bus.ts';
import { ACCOUNT, clientOf, FUNCTION_KEY, REGION, serve } from '../endpoint.ts';

const NOW_MS = 1_790_000_000_123;
const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const QUEUE = arn('sqs', 'work');

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

const ruleOf = (properties: Readonly<Record<string, unknown>>): EventRule | undefined =>
  declaredEventRule({
    logicalId: 'Rule',
    type: 'AWS::Events::Rule',
    name: 'rule',
    physicalId: 'rule',
    arn: arn('events', 'rule/rule'),
    attributes: {},
    properties,
  });

const RULE = {
  EventPattern: { source: ['tributary'], detail: { severity: ['HIGH'] } },
  Targets: [{ Id: 'queue', Arn: QUEUE }],
};

async function setup(properties: Readonly<Record<string, unknown>> = RULE, problem?: string) {
  const delivered: [string, BusEvent][] = [];
  const seen: BusEvent[] = [];
  const log: string[] = [];
  const rule = ruleOf(properties);
  const bus = createEventBus({
    rules: rule === undefined ? [] : [rule],
    buses: ['other'],
    deliver: async (to, body) => void delivered.push([to, JSON.parse(body)]),
    missingGrant: () => problem,
    log: ({ message }) => void log.push(message),
    onEvent: (event) => void seen.push(event),
  });
  let ids = 0;
  const uuid = () => `e-${++ids}`;
  const now = () => NOW_MS;
  const server = await serve(
    eventsOperations({ bus, accountId: ACCOUNT, region: REGION, now, uuid }),
  );
  const client = new EventBridgeClient(clientOf(server.url, FUNCTION_KEY));
  cleanUps.push(async () => {
    client.destroy();
    await server.close();
  });
  const put = (...Entries: object[]) => client.send(new PutEventsCommand({ Entries }));
  return { put, delivered, seen, log, needs: server.needs };
}

const ENTRY = {
  Source: 'tributary',
  DetailType: 'Security incident',
  Detail: '{"severity":"HIGH"}',
};

it('an event reaches the targets of the rules that it matches, in the shape of EventBridge', async () => {
  const { put, delivered, seen, needs } = await setup();
  const { FailedEntryCount, Entries } = await put(ENTRY, {
    ...ENTRY,
    Detail: '{"severity":"LOW"}',
  });
  expect({ FailedEntryCount, Entries }).toEqual({
    FailedEntryCount: 0,
    Entries: [{ EventId: 'e-1' }, { EventId: 'e-2' }],
  });
  expect(delivered).toEqual([
    [
      QUEUE,
      {
        version: '0',
        id: 'e-1',
        'detail-type': 'Security incident',
        source: 'tributary',
        account: ACCOUNT,
        time: '2026-09-21T14:13:20Z',
        region: REGION,
        resources: [],
        detail: { severity: 'HIGH' },
      },
    ],
  ]);
  expect(seen).toHaveLength(2);
  expect(needs).toEqual([
    { action: 'events:PutEvents', resource: arn('events', 'event-bus/default') },
  ]);
});

it('each entry is taken or refused on its own', async () => {
  const { put, delivered } = await setup();
  const { FailedEntryCount, Entries = [] } = await put(
    { ...ENTRY, Source: 'aws.iot' },
    { ...ENTRY, Detail: '[1]' },
    { ...ENTRY, DetailType: undefined },
    { ...ENTRY, EventBusName: 'nowhere' },
    { ...ENTRY, EventBusName: 'other' },
  );
  expect(FailedEntryCount).toBe(4);
  expect(Entries.map(({ ErrorCode }) => ErrorCode)).toEqual([
    'NotAuthorizedForSourceException',
    'MalformedDetail',
    'InvalidArgument',
    'ResourceNotFoundException',
    undefined,
  ]);
  expect(delivered).toEqual([]);
});

it('who may not be reached is said in the log', async () => {
  const { put, delivered, log } = await setup(RULE, 'no policy allows it');
  await put(ENTRY);
  expect(delivered).toEqual([]);
  expect(log).toEqual([expect.stringMatching(/could not bring .*work: no policy allows it/)]);
});

it('a rule that is disabled hears nothing', () => {
  expect(ruleOf({ ...RULE, State: 'DISABLED' })).toBeUndefined();
});

it.each([
  ['InputTransformer', { ...RULE, Targets: [{ Id: 'a', Arn: QUEUE, InputTransformer: {} }] }],
  ['topics, queues and functions', { ...RULE, Targets: [{ Id: 'a', Arn: 'arn:aws:ecs:x' }] }],
  ['wildcard', { ...RULE, EventPattern: { source: [{ wildcard: 'a*' }] } }],
])('a rule with %s that is not here is refused by name', (says, properties) => {
  expect(() => ruleOf(properties)).toThrow(says);
});
