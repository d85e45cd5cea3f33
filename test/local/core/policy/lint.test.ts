import { describe, expect, it } from '@jest/globals';
import { lintPolicy, lintPrincipal } from '../../../../local/core/policy/index.ts';

const arn = (rest: string): string => `arn:aws:iot:eu-central-1:000000000000:${rest}`;
const variable = (name: string): string => `\${${name}}`;
const THING = variable('iot:Connection.Thing.ThingName');
const CLIENT = variable('iot:ClientId');

const statement = (Effect: string, Action: string | string[], resource: string, rest?: object) => ({
  Effect,
  Action,
  Resource: resource === '*' ? '*' : arn(resource),
  ...rest,
});
const lint = (...statements: object[]) =>
  lintPolicy({ name: 'p', document: { Version: '2012-10-17', Statement: statements } });
const reasons = (...statements: object[]) => lint(...statements).map(({ reason }) => reason);

const ATTACHED = { Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } } };
const BROAD = 'ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS';

describe('IOT_POLICY_OVERLY_PERMISSIVE_CHECK', () => {
  it.each([
    statement('Allow', 'iot:Connect', 'client/*'),
    statement('Allow', 'iot:Connect', `client/${CLIENT}`),
    statement('Allow', 'iot:Publish', 'topic/$aws/things/*/shadow/update'),
    statement('Allow', 'iot:Publish', 'topic/$aws/things/*'),
    statement('Allow', 'iot:Subscribe', 'topicfilter/$aws/things/*'),
    statement('Allow', 'iot:Subscribe', 'topicfilter/$aws/things/+/shadow/update'),
    statement('Allow', 'iot:Subscribe', 'topicfilter/$aws/things/#'),
    statement('Allow', 'iot:UpdateThingShadow', 'thing/*'),
    statement('Allow', 'iot:Publish', `topic/dt/*/${THING}/telemetry`),
    statement('Allow', ['iot:*'], '*'),
    statement('Allow', '*', 'topic/*'),
    { Effect: 'Allow', NotAction: 'iot:Connect', Resource: '*' },
    { Effect: 'Allow', Action: 'iot:Publish', NotResource: arn('topic/secret') },
  ])('finds %j', (each) => {
    const [finding] = lint(each);
    expect(finding).toMatchObject({
      check: 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK',
      reason: BROAD,
      policy: 'p',
      statement: 0,
    });
  });

  it.each([
    statement('Allow', 'iot:Connect', `client/${THING}`, ATTACHED),
    statement('Allow', 'iot:Connect', `client/${CLIENT}`, ATTACHED),
    statement('Allow', 'iot:Publish', `topic/$aws/things/${THING}/shadow/*`),
    statement('Allow', 'iot:Subscribe', `topicfilter/$aws/things/${THING}/jobs/#`),
    statement('Allow', 'iot:Receive', 'topic/$aws/things/*'),
    statement('Allow', 'iot:UpdateThingShadow', 'thing/MyThing1'),
    statement('Deny', 'iot:*', '*'),
    statement('Allow', 'iot:Connect', 'topic/*'),
  ])('passes %j', (each) => {
    expect(lint(each)).toEqual([]);
  });
});

describe('IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK', () => {
  const receiveAll = statement('Allow', 'iot:Receive', 'topic/building/*');
  const building = statement('Allow', 'iot:Subscribe', `topicfilter/building/${THING}/*`);

  it('finds MQTT wildcards in a Deny', () => {
    expect(reasons(statement('Deny', 'iot:Subscribe', 'topicfilter/building/room/#'))).toEqual([
      'POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT',
    ]);
  });

  it('finds a Deny of filters that a wider filter gets around', () => {
    const deny = statement('Deny', 'iot:Subscribe', `topicfilter/building/${THING}/secret/*`);
    expect(reasons(building, deny, receiveAll)).toEqual([
      'TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS',
    ]);
    const stop = statement('Deny', 'iot:Receive', `topic/building/${THING}/secret/*`);
    expect(reasons(building, deny, receiveAll, stop)).toEqual([]);
  });

  it('passes a Deny that no allowed filter gets around', () => {
    const deny = statement('Deny', 'iot:Subscribe', `topicfilter/building/${THING}/*`);
    expect(reasons(building, deny, receiveAll)).toEqual([]);
  });
});

describe('limits', () => {
  const filler = (characters: number) => ({
    Version: '2012-10-17',
    Statement: statement('Allow', 'iot:Receive', `topic/${'x'.repeat(characters)}`),
  });

  it('count characters without white space', () => {
    const base = JSON.stringify(filler(0)).length;
    const fits = lintPolicy({ name: 'p', document: filler(2048 - base) });
    expect(fits).toEqual([]);
    const over = lintPolicy({ name: 'p', document: filler(2049 - base) });
    expect(over).toMatchObject([
      { check: 'POLICY_SIZE_LIMIT', message: expect.stringContaining('2049') },
    ]);
  });

  it('allow ten policies on a principal', () => {
    const sources = Array.from({ length: 11 }, (_, index) => ({
      name: `p${index}`,
      document: filler(1),
    }));
    expect(lintPrincipal(sources.slice(0, 10))).toEqual([]);
    expect(lintPrincipal(sources)).toMatchObject([
      { check: 'POLICIES_PER_PRINCIPAL_LIMIT', policy: 'p10' },
    ]);
  });

  it('name a variable that AWS IoT does not document', () => {
    const [finding] = lint(statement('Allow', 'iot:Publish', `topic/${variable('iot:Thing')}/x`));
    expect(finding).toMatchObject({ check: 'UNKNOWN_POLICY_VARIABLE', statement: 0 });
  });
});
