import { expect, it } from '@jest/globals';
import * as z from 'zod';
import { openEvents } from '../../../local/boot/events.ts';
import { loadResourcePolicies } from '../../../local/boot/resource-policies.ts';
import type { LogEntry } from '../../../local/core/log.ts';
import { resolveTemplate } from '../../../local/core/template/index.ts';
import { operation } from '../../../local/operations/operation.ts';
import { createTopicStore } from '../../../local/stores/topic-store.ts';

const PLACE = { accountId: '000000000000', region: 'eu-central-1' };
const TOPIC = 'arn:aws:sns:eu-central-1:000000000000:findings';

const RULE = {
  Type: 'AWS::Events::Rule',
  Properties: {
    Name: 'watch',
    EventPattern: { source: ['aws.iot'], detail: { eventName: ['CreatePolicy'] } },
    Targets: [{ Id: 'topic', Arn: TOPIC }],
  },
};
const TRAIL = { Type: 'AWS::CloudTrail::Trail', Properties: { IsLogging: true } };
const POLICY = (Statement: readonly object[]) => ({
  Type: 'AWS::SNS::TopicPolicy',
  Properties: { Topics: [TOPIC], PolicyDocument: { Version: '2012-10-17', Statement } },
});
const ALLOW = {
  Effect: 'Allow',
  Principal: { Service: 'events.amazonaws.com' },
  Action: 'sns:Publish',
  Resource: TOPIC,
  Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:events:*:000000000000:rule/watch' } },
};
const NOT_PEOPLE = {
  Effect: 'Deny',
  Principal: '*',
  Action: 'sns:Publish',
  Resource: TOPIC,
  Condition: { BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' } },
};

/** A call of the control plane, recorded where there is a trail; what became of it. */
async function call(
  Resources: Readonly<Record<string, object>>,
  { method = 'PUT', fails = false }: { readonly method?: string; readonly fails?: boolean } = {},
) {
  const stack = resolveTemplate({ Resources }, { ...PLACE, partition: 'aws', stackName: 's' });
  const published: string[] = [];
  const log: LogEntry[] = [];
  const world = {
    ...PLACE,
    now: () => 1_790_000_000_000,
    uuid: () => 'e-1',
    log: (entry: LogEntry) => void log.push(entry),
    clock: { now: () => 0, sleep: async () => {} },
    timers: () => () => {},
    random: () => 0.5,
  };
  const events = openEvents(stack, world, {
    exchange: {
      url: () => '',
      sendToQueue: () => ({ messageId: 'm-1' }),
      publishToDevices: async () => {},
      disconnect: () => false,
      publishToRules: async () => {},
      deliver: async (arn, body) => void published.push(`${arn} ${body}`),
    },
    policies: loadResourcePolicies(stack),
    topics: createTopicStore([{ name: 'findings', arn: TOPIC, displayName: '' }], []),
    publish: () => 'm-1',
  });
  const [recorded] = events.recorded([
    operation({
      route: { service: 'iot', method, path: '/policies/{policyName}' },
      input: z.object({ policyName: z.string() }),
      needs: () => [{ action: 'iot:CreatePolicy', resource: '*' }],
      run: () => {
        if (fails) throw new Error('refused');
        return {};
      },
    }),
  ]);
  const ran = Promise.resolve(
    recorded?.run({ input: { policyName: 'p' }, caller: { kind: 'operator' } }),
  );
  await ran.catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  return { published, log };
}

it('a call that changes something is told by the trail, whose rule brings it to its topic', async () => {
  const { published, log } = await call({ RULE, TRAIL, Policy: POLICY([ALLOW, NOT_PEOPLE]) });
  expect(log).toEqual([]);
  expect(published).toHaveLength(1);
  const [arn = '', body = ''] = published[0]?.split(/ (.*)/) ?? [];
  expect(arn).toBe(TOPIC);
  expect(JSON.parse(body)).toMatchObject({
    'detail-type': 'AWS API Call via CloudTrail',
    source: 'aws.iot',
    account: PLACE.accountId,
    time: '2026-09-21T14:13:20Z',
    detail: {
      eventSource: 'iot.amazonaws.com',
      eventName: 'CreatePolicy',
      userIdentity: { arn: 'arn:aws:iam::000000000000:root' },
      requestParameters: { policyName: 'p' },
    },
  });
});

it.each([
  ['without a trail', { RULE, Policy: POLICY([ALLOW]) }, {}],
  ['of what only reads', { RULE, TRAIL, Policy: POLICY([ALLOW]) }, { method: 'GET' }],
  ['of a call that was refused', { RULE, TRAIL, Policy: POLICY([ALLOW]) }, { fails: true }],
])('nothing is told %s', async (_what, resources, how) => {
  expect((await call(resources, how)).published).toEqual([]);
});

it('without a statement of the topic’s policy for it, EventBridge publishes nothing, and the log says so', async () => {
  const { published, log } = await call({ RULE, TRAIL, Policy: POLICY([NOT_PEOPLE]) });
  expect(published).toEqual([]);
  expect(log).toEqual([
    expect.objectContaining({
      level: 'error',
      message: expect.stringMatching(/no policy of .*findings allows sns:Publish/),
    }),
  ]);
});
