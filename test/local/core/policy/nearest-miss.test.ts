import { describe, expect, it } from '@jest/globals';
import { compilePolicies, decide, HINTS } from '../../../../local/core/policy/index.ts';

const arn = (rest: string): string => `arn:aws:iot:eu-central-1:000000000000:${rest}`;
const variable = (name: string): string => `\${${name}}`;
const THING = variable('iot:Connection.Thing.ThingName');
const FLEET = variable('iot:Connection.Thing.Attributes[fleet]');
const NAME = variable('iot:Certificate.Subject.CommonName');
const ORGANIZATION = variable('iot:Certificate.Subject.Organization');

/** A device by thing over MQTT, and by its certificate over HTTPS, in one statement or in two. */
const byThing = [`topic/dt/${FLEET}/${THING}/*`, `topic/report/${FLEET}/${THING}`].map(arn);
const byName = [`topic/dt/${ORGANIZATION}/${NAME}/*`, `topic/report/${ORGANIZATION}/${NAME}`].map(
  arn,
);
const allow = (...Resource: string[]) => ({ Effect: 'Allow', Action: 'iot:Publish', Resource });
const policyOf = (...Statement: object[]) => [
  { name: 'device', document: { Version: '2012-10-17', Statement } },
];

const CERTIFICATE = {
  'iot:Certificate.Subject.CommonName': 'probe-1',
  'iot:Certificate.Subject.Organization': 'acme',
};
const ATTACHED = {
  ...CERTIFICATE,
  'iot:ClientId': 'probe-1',
  'iot:Connection.Thing.ThingName': 'probe-1',
  'iot:Connection.Thing.Attributes[fleet]': 'acme',
  [HINTS.attachedThings]: ['probe-1'],
};
const { 'iot:Connection.Thing.Attributes[fleet]': _, ...WITHOUT_FLEET } = ATTACHED;

describe.each([
  { how: 'one statement', policies: policyOf(allow(...byThing, ...byName)), statement: 0 },
  { how: 'two statements', policies: policyOf(allow(...byThing), allow(...byName)), statement: 1 },
])('of thing and certificate in $how', ({ policies, statement }) => {
  const refused = (topic: string, context: Record<string, string | readonly string[]>) => {
    const request = { action: 'iot:Publish', resource: arn(`topic/${topic}`), context };
    return decide(compilePolicies(policies, 'iot'), request);
  };

  it.each([
    {
      what: 'as another device',
      topic: 'dt/acme/probe-2/telemetry',
      near: 'topic/dt/acme/probe-1/*',
    },
    {
      what: 'into another fleet',
      topic: 'dt/other/probe-1/telemetry',
      near: 'topic/dt/acme/probe-1/*',
    },
    {
      what: 'the report of another',
      topic: 'report/acme/probe-2',
      near: 'topic/report/acme/probe-1',
    },
  ])('over HTTPS, the certificate’s is told of: $what', ({ topic, near }) => {
    const decision = refused(topic, CERTIFICATE);
    expect(decision.explanation).toContain(
      `statement ${statement} of policy "device" allows ${arn(near)}`,
    );
    expect(decision.variables).toEqual(CERTIFICATE);
    expect(decision.fix).toBe(`add Allow iot:Publish on ${arn(`topic/${topic}`)}`);
  });

  it('over MQTT, the attribute is told of that the thing lacks', () => {
    const { 'iot:Certificate.Subject.CommonName': __, ...context } = WITHOUT_FLEET;
    const decision = refused('dt/acme/probe-1/telemetry', {
      ...context,
      'iot:Certificate.Subject.CommonName': 'AWS IoT Certificate',
    });
    expect(decision.explanation).toContain('Attributes[fleet] has no value');
    expect(decision.fix).toBe('give the thing `probe-1` the attribute `fleet`');
    expect(decision.variables).toEqual({
      'iot:Connection.Thing.Attributes[fleet]': null,
      'iot:Connection.Thing.ThingName': 'probe-1',
    });
  });
});

it('over HTTPS, a policy of thing variables alone is told to use the certificate', () => {
  const policies = compilePolicies(policyOf(allow(...byThing)), 'iot');
  const resource = arn('topic/dt/acme/probe-1/telemetry');
  const { fix } = decide(policies, { action: 'iot:Publish', resource, context: CERTIFICATE });
  expect(fix).toMatch(/thing variables have no value over HTTPS: use .*CommonName/);
});

it('a condition that fails is nearer than any resource that misses', () => {
  const policies = compilePolicies(
    policyOf(allow(arn('topic/a/c')), {
      ...allow(arn('topic/a/*')),
      Condition: { StringEquals: { 'iot:DomainName': 'mqtt.example.org' } },
    }),
    'iot',
  );
  const context = { 'iot:DomainName': 'localhost' };
  const decision = decide(policies, { action: 'iot:Publish', resource: arn('topic/a/b'), context });
  expect(decision.explanation).toContain('iot:DomainName is "localhost"');
  expect(decision.variables).toEqual({ 'iot:DomainName': 'localhost' });
});

it('+ in a policy is told of before other words', () => {
  const policies = compilePolicies(policyOf(allow(arn('topic/x/y/z'), arn('topic/a/+/c'))), 'iot');
  const request = { action: 'iot:Publish', resource: arn('topic/a/b/c'), context: {} };
  expect(decide(policies, request).fix).toMatch(/write \* in the policy/);
});
