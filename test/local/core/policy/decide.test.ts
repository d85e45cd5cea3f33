import { describe, expect, it } from '@jest/globals';
import {
  compilePolicies,
  type Decision,
  decide,
  HINTS,
  PolicyError,
} from '../../../../local/core/policy/index.ts';

const arn = (rest: string): string => `arn:aws:iot:eu-central-1:000000000000:${rest}`;
const variable = (name: string): string => `\${${name}}`;
const THING = variable('iot:Connection.Thing.ThingName');
const FLEET = variable('iot:Connection.Thing.Attributes[fleet]');

const policy = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements });

const allow = (Action: string, Resource: string | string[], Condition?: object) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition && { Condition }),
});

const DEVICE = policy(
  allow('iot:Connect', arn(`client/${THING}`), {
    Bool: { 'iot:Connection.Thing.IsAttached': ['true'] },
  }),
  allow('iot:Publish', arn(`topic/dt/${FLEET}/${THING}/*`)),
  allow('iot:Subscribe', arn(`topicfilter/cmd/${FLEET}/${THING}/*`)),
  allow('iot:Receive', arn(`topic/cmd/${FLEET}/${THING}/*`)),
);

const T1 = {
  'iot:ClientId': 't1',
  'iot:Connection.Thing.ThingName': 't1',
  'iot:Connection.Thing.IsAttached': 'true',
  'iot:Connection.Thing.Attributes[fleet]': 'f1',
  [HINTS.attachedThings]: ['t1'],
};

function ask(
  document: object,
  action: string,
  resource: string,
  context: Record<string, string | readonly string[]> = {},
): Decision {
  const compiled = compilePolicies([{ name: 'device', document }], 'iot');
  return decide(compiled, { action, resource: arn(resource), context });
}

describe('wildcards', () => {
  it.each([
    { resource: 'topic/dev/*', asked: 'topic/dev/a/b', allowed: true },
    { resource: 'topic/dev/?', asked: 'topic/dev/a', allowed: true },
    { resource: 'topic/dev/?', asked: 'topic/dev/ab', allowed: false },
    { resource: 'topic/dev/?', asked: 'topic/dev/😀', allowed: true },
    { resource: 'topic/some/+/topic', asked: 'topic/some/x/topic', allowed: false },
    { resource: 'topic/some/+/topic', asked: 'topic/some/+/topic', allowed: true },
    { resource: 'topic/some/*/topic', asked: 'topic/some/+/topic', allowed: true },
    { resource: 'topic/some/*/topic', asked: 'topic/some/a/b/topic', allowed: true },
    { resource: 'topic/a/#', asked: 'topic/a/b', allowed: false },
    { resource: 'topic/$aws/things/*', asked: 'topic/$aws/things/t', allowed: true },
    { resource: 'topic/A', asked: 'topic/a', allowed: false },
    { resource: 'topic/*a*a*a*a*b', asked: `topic/${'a'.repeat(2000)}`, allowed: false },
  ])('$resource and $asked: $allowed', ({ resource, asked, allowed }) => {
    const document = policy(allow('iot:Publish', arn(resource)));
    expect(ask(document, 'iot:Publish', asked).allowed).toBe(allowed);
  });

  it('match a filter as text, so a Deny below does not stop a wider filter', () => {
    const document = policy(allow('iot:Subscribe', arn('topicfilter/a/*')), {
      Effect: 'Deny',
      Action: 'iot:Subscribe',
      Resource: arn('topicfilter/a/restricted/*'),
    });
    expect(ask(document, 'iot:Subscribe', 'topicfilter/a/#').allowed).toBe(true);
    expect(ask(document, 'iot:Subscribe', 'topicfilter/a/restricted/#').allowed).toBe(false);
  });
});

describe('variables', () => {
  const publish = (name: string, topic: string, context: Record<string, string>) =>
    ask(
      policy(allow('iot:Publish', arn(`topic/x/${variable(name)}/y`))),
      'iot:Publish',
      topic,
      context,
    );

  it.each([
    { what: 'the client id', name: 'iot:ClientId', value: 'c1' },
    { what: 'an attribute', name: 'iot:Connection.Thing.Attributes[site]', value: 'north' },
    { what: 'the second common name', name: 'iot:Certificate.Subject.CommonName.1', value: 'b' },
  ])('take the value of $what', ({ name, value }) => {
    expect(publish(name, `topic/x/${value}/y`, { [name]: value }).allowed).toBe(true);
    expect(publish(name, 'topic/x/other/y', { [name]: value }).allowed).toBe(false);
  });

  it('put values in literally: a client id of * names nothing but itself', () => {
    const context = { 'iot:ClientId': '*' };
    expect(publish('iot:ClientId', 'topic/x/any/y', context).allowed).toBe(false);
    expect(publish('iot:ClientId', 'topic/x/*/y', context).allowed).toBe(true);
  });

  it.each(['a*', 'a?', 'a+', 'a#', 'a$', 'a'.repeat(1025)])(
    'hold back a certificate value of %s',
    (value) => {
      const name = 'iot:Certificate.Subject.CommonName';
      const decision = publish(name, `topic/x/${value}/y`, { [name]: value });
      expect(decision.allowed).toBe(false);
      expect(decision.explanation).toContain(`the variable ${name} has no value`);
    },
  );

  it('without a value fit nothing, and are named', () => {
    const decision = ask(DEVICE, 'iot:Publish', 'topic/dt/f1/t1/status', { 'iot:ClientId': 't1' });
    expect(decision).toMatchObject({
      allowed: false,
      explanation: expect.stringContaining(
        'the variable iot:Connection.Thing.Attributes[fleet] has no value',
      ),
    });
  });

  it('without a value do not widen an Allow by NotResource, nor a "not equal"', () => {
    const notResource = policy({
      Effect: 'Allow',
      Action: 'iot:Publish',
      NotResource: arn(`topic/${THING}`),
    });
    const notEquals = policy(
      allow('iot:Publish', '*', { StringNotEquals: { 'iot:ClientId': THING } }),
    );
    for (const document of [notResource, notEquals])
      expect(ask(document, 'iot:Publish', 'topic/a', { 'iot:ClientId': 'c' }).allowed).toBe(false);
  });

  it('that AWS does not document never have a value, whatever the request carries', () => {
    const decision = publish('iot:clientid', 'topic/x/c/y', { 'iot:clientid': 'c' });
    expect(decision).toMatchObject({
      allowed: false,
      fix: expect.stringContaining('write a variable that AWS IoT documents'),
    });
    expect(
      publish(HINTS.thingIsRegistered, 'topic/x/true/y', { [HINTS.thingIsRegistered]: 'true' })
        .allowed,
    ).toBe(false);
  });

  it('write the wildcards themselves', () => {
    const document = policy(allow('iot:Publish', arn(`topic/${variable('*')}/${variable('$')}`)));
    expect(ask(document, 'iot:Publish', 'topic/*/$').allowed).toBe(true);
    expect(ask(document, 'iot:Publish', 'topic/a/$').allowed).toBe(false);
  });
});

describe('connecting', () => {
  const connect = (document: object, attributes: string[]) =>
    ask(document, 'iot:Connect', 'client/t1', { ...T1, 'iot:ConnectAttributes': attributes });
  const withAttributes = policy(
    allow('iot:Connect', arn('client/*'), {
      'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] },
    }),
  );

  it('with a will or a persistent session needs a condition that speaks of it', () => {
    expect(connect(DEVICE, []).allowed).toBe(true);
    const decision = connect(DEVICE, ['LastWill']);
    expect(decision.allowed).toBe(false);
    expect(decision.fix).toBe(
      'add to statement 0 of policy "device" the condition {"ForAllValues:StringEquals":{"iot:ConnectAttributes":["LastWill"]}}',
    );
  });

  it('takes what the condition lists and names what it lacks', () => {
    expect(connect(withAttributes, ['LastWill']).allowed).toBe(true);
    expect(connect(withAttributes, []).allowed).toBe(true);
    expect(connect(withAttributes, ['LastWill', 'PersistentConnect']).fix).toBe(
      'add PersistentConnect to iot:ConnectAttributes in statement 0 of policy "device"',
    );
  });

  it('can be bound to a domain, an address and the topic of the will', () => {
    const document = policy(
      allow('iot:Connect', arn('client/*'), {
        StringEquals: { 'iot:DomainName': 'mqtt.example.org' },
        IpAddress: { 'aws:SourceIp': '10.1.0.0/16' },
        ArnEquals: { 'iot:LastWillTopic': arn('topic/will/*') },
      }),
    );
    const good = {
      'iot:DomainName': 'mqtt.example.org',
      'aws:SourceIp': '10.1.2.3',
      'iot:LastWillTopic': arn('topic/will/t1'),
    };
    expect(ask(document, 'iot:Connect', 'client/t1', good).allowed).toBe(true);
    for (const [key, bad] of [
      ['iot:DomainName', 'other.example.org'],
      ['aws:SourceIp', '10.2.0.1'],
      ['iot:LastWillTopic', arn('topic/other')],
    ] as const) {
      const decision = ask(document, 'iot:Connect', 'client/t1', { ...good, [key]: bad });
      expect(decision.explanation).toContain(`${key} is ${JSON.stringify(bad)}`);
    }
  });
});

describe('a decision', () => {
  it('names the statement that allowed, with the values of its variables', () => {
    expect({ ...ask(DEVICE, 'iot:Publish', 'topic/dt/f1/t1/status', T1) }).toEqual({
      allowed: true,
      reason: 'allowed',
      policy: 'device',
      statement: 1,
      explanation: `iot:Publish on ${arn('topic/dt/f1/t1/status')} is allowed by statement 1 of policy "device" (iot:Connection.Thing.Attributes[fleet] = "f1", iot:Connection.Thing.ThingName = "t1").`,
      variables: {
        'iot:Connection.Thing.Attributes[fleet]': 'f1',
        'iot:Connection.Thing.ThingName': 't1',
      },
    });
  });

  it('names the Deny that won over an Allow', () => {
    const compiled = compilePolicies(
      [
        { name: 'device', document: DEVICE },
        {
          name: 'quarantine',
          document: policy({ Sid: 'Silence', Effect: 'Deny', Action: 'iot:*', Resource: '*' }),
        },
      ],
      'iot',
    );
    const asked = { action: 'iot:Publish', resource: arn('topic/dt/f1/t1/x'), context: T1 };
    expect(decide(compiled, asked)).toMatchObject({
      allowed: false,
      reason: 'explicit-deny',
      policy: 'quarantine',
      statement: 'Silence',
      explanation: expect.stringContaining('a Deny wins over every Allow'),
      fix: 'narrow or remove the Deny in statement Silence of policy "quarantine"',
    });
  });

  it.each([
    {
      what: 'a foreign topic',
      action: 'iot:Publish',
      resource: 'topic/dt/f1/t2/status',
      context: T1,
      fix: `add Allow iot:Publish on ${arn('topic/dt/f1/t2/status')}`,
    },
    {
      what: 'an action that no statement names',
      action: 'iot:RetainPublish',
      resource: 'topic/dt/f1/t1/status',
      context: T1,
      fix: `add Allow iot:RetainPublish on ${arn('topic/dt/f1/t1/status')}`,
    },
    {
      what: 'a client id that is not the name of the thing',
      action: 'iot:Connect',
      resource: 'client/x',
      context: { 'iot:ClientId': 'x', [HINTS.attachedThings]: ['t1'] },
      fix: 'client id `x` differs from thing `t1`: connect as `t1`',
    },
    {
      what: 'a thing without its certificate',
      action: 'iot:Connect',
      resource: 'client/t1',
      context: {
        'iot:ClientId': 't1',
        [HINTS.attachedThings]: [],
        [HINTS.thingIsRegistered]: 'true',
      },
      fix: 'the thing `t1` is not attached to the certificate: attach it',
    },
    {
      what: 'a thing that does not exist',
      action: 'iot:Connect',
      resource: 'client/t1',
      context: { 'iot:ClientId': 't1', [HINTS.attachedThings]: [] },
      fix: 'no thing is called `t1`: create it and attach it to the certificate',
    },
    {
      what: 'a thing without the attribute',
      action: 'iot:Publish',
      resource: 'topic/dt/f1/t1/x',
      context: {
        'iot:ClientId': 't1',
        'iot:Connection.Thing.ThingName': 't1',
        [HINTS.attachedThings]: ['t1'],
      },
      fix: 'give the thing `t1` the attribute `fleet`',
    },
    {
      what: 'thing variables over HTTPS',
      action: 'iot:Publish',
      resource: 'topic/dt/f1/t1/x',
      context: { [HINTS.attachedThings]: ['t1'] },
      fix: `thing variables have no value over HTTPS: use ${variable('iot:CertificateId')} or ${variable('iot:Certificate.Subject.CommonName')}`,
    },
  ])('suggests the smallest change for $what', ({ action, resource, context, fix }) => {
    expect(ask(DEVICE, action, resource, context).fix).toBe(fix);
  });

  it('says that MQTT wildcards mean nothing in a policy', () => {
    const document = policy(allow('iot:Publish', arn('topic/some/+/topic')));
    expect(ask(document, 'iot:Publish', 'topic/some/x/topic').fix).toBe(
      `write * in the policy where ${arn('topic/some/+/topic')} has + or #, which are plain characters there`,
    );
  });

  it('explains itself without any policy', () => {
    const none = compilePolicies([], 'iot');
    const asked = { action: 'iot:Connect', resource: arn('client/t1'), context: {} };
    expect(decide(none, asked).explanation).toContain('there is no policy');
  });
});

describe('policies of roles', () => {
  const role = (...statements: object[]) =>
    compilePolicies([{ name: 'role', document: policy(...statements) }], 'iam');
  const stream = 'arn:aws:kinesis:eu-central-1:000000000000:stream/readings';

  it('compare actions and condition keys without letter case', () => {
    const compiled = role({
      Effect: 'Allow',
      Action: 'kinesis:putrecords',
      Resource: stream,
      Condition: { StringEquals: { 'AWS:principalaccount': '1' } },
    });
    const asked = { action: 'kinesis:PutRecords', resource: stream };
    expect(decide(compiled, { ...asked, context: { 'aws:PrincipalAccount': '1' } }).allowed).toBe(
      true,
    );
    expect(decide(compiled, { ...asked, context: {} }).allowed).toBe(false);
  });

  it('fall back on a default value of a variable', () => {
    const text = `arn:aws:s3:::bucket/\${aws:PrincipalTag/team, 'none'}/*`;
    const compiled = role({ Effect: 'Allow', Action: 's3:GetObject', Resource: text });
    const asked = {
      action: 's3:GetObject',
      resource: 'arn:aws:s3:::bucket/none/file',
      context: {},
    };
    expect(decide(compiled, asked).allowed).toBe(true);
  });

  it('know no variables in the older version', () => {
    const document = {
      Statement: {
        Effect: 'Allow',
        Action: 's3:*',
        Resource: `arn:aws:s3:::${variable('aws:username')}`,
      },
    };
    const compiled = compilePolicies([{ name: 'old', document }], 'iam');
    const asked = (resource: string) =>
      decide(compiled, { action: 's3:GetObject', resource, context: { 'aws:username': 'a' } });
    expect(asked('arn:aws:s3:::a').allowed).toBe(false);
    expect(asked(`arn:aws:s3:::${variable('aws:username')}`).allowed).toBe(true);
  });
});

describe('a document that is no policy', () => {
  const statement = { Effect: 'Allow', Action: 'iot:Connect', Resource: '*' };
  it.each([
    { what: 'no version', document: { Statement: statement }, path: 'Version' },
    {
      what: 'a foreign effect',
      document: policy({ ...statement, Effect: 'allow' }),
      path: 'Statement[0].Effect',
    },
    {
      what: 'a principal',
      document: policy({ ...statement, Principal: '*' }),
      path: 'Statement[0]',
    },
    {
      what: 'no resource',
      document: policy({ Effect: 'Allow', Action: '*' }),
      path: 'Statement[0]',
    },
    {
      what: 'both kinds of action',
      document: policy({ ...statement, NotAction: '*' }),
      path: 'Statement[0]',
    },
    {
      what: 'an empty list',
      document: policy({ ...statement, Action: [] }),
      path: 'Statement[0].Action',
    },
    {
      what: 'an action without a service',
      document: policy({ ...statement, Action: 'Connect' }),
      path: 'Statement[0].Action',
    },
    {
      what: 'a resource that is no ARN',
      document: policy({ ...statement, Resource: ['topic/a'] }),
      path: 'Statement[0].Resource[0]',
    },
    {
      what: 'an intrinsic left over',
      document: policy({ ...statement, Resource: { Ref: 'Topic' } }),
      path: 'Statement[0].Resource',
    },
    {
      what: 'an open variable',
      document: policy({ ...statement, Resource: `arn:${variable('iot:ClientId').slice(0, -1)}` }),
      path: 'Statement[0].Resource',
    },
    {
      what: 'an unknown operator',
      document: policy({ ...statement, Condition: { StringMatches: { 'iot:ClientId': 'a' } } }),
      path: 'Statement[0].Condition.StringMatches.iot:ClientId',
    },
  ])('is refused for $what at $path', ({ document, path }) => {
    const compile = () => compilePolicies([{ name: 'broken', document }], 'iot');
    expect(compile).toThrow(PolicyError);
    expect(compile).toThrow(expect.objectContaining({ policy: 'broken', path }));
  });

  it('names the operator', () => {
    const document = policy({ ...statement, Condition: { 'ForAllValues:Near': { k: 'v' } } });
    expect(() => compilePolicies([{ name: 'p', document }], 'iot')).toThrow(
      'no condition operator is called "ForAllValues:Near"',
    );
  });
});
