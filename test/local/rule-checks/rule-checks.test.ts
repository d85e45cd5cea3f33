import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { topicMatches } from '../../../local/core/sql/index.ts';
import { resolveTemplate } from '../../../local/core/template/index.ts';
import { checkRules } from '../../../local/rule-checks/index.ts';
import {
  ANY,
  filterPattern,
  LEVEL,
  literal,
  overlaps,
  type TopicPattern,
} from '../../../local/rule-checks/topic-overlap.ts';

const PLACE = { accountId: '000000000000', region: 'eu-central-1' };
const $ = (text: string) => `\${${text}}`;
const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

const statement = (Action: readonly string[], Resource: unknown) => ({
  Effect: 'Allow',
  Action,
  Resource,
});

const role = (statements: readonly unknown[], service = 'iot.amazonaws.com') => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
    },
    Policies: [
      { PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: statements } },
    ],
  },
});

const RESOURCES = {
  Key: { Type: 'AWS::KMS::Key', Properties: {} },
  Stream: {
    Type: 'AWS::Kinesis::Stream',
    Properties: {
      Name: 'uplinks',
      StreamEncryption: { EncryptionType: 'KMS', KeyId: arnOf('Key') },
    },
  },
  Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'errors' } },
  Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'files' } },
  Function: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'f' } },
  Role: role([
    statement(['kinesis:PutRecord'], arnOf('Stream')),
    statement(['kms:GenerateDataKey'], arnOf('Key')),
    statement(['sqs:SendMessage'], arnOf('Queue')),
    statement(['iot:Publish'], '*'),
    statement(['s3:PutObject'], { 'Fn::Sub': $('Bucket.Arn').concat('/raw/*') }),
  ]),
  Narrow: role([statement(['kinesis:PutRecord'], arnOf('Stream'))]),
  Foreign: role([statement(['sqs:SendMessage'], arnOf('Queue'))], 'ec2.amazonaws.com'),
};

const RoleArn = arnOf('Role');
const toStream = { Kinesis: { StreamName: 'uplinks', PartitionKey: $('topic(3)'), RoleArn } };
const toQueue = { Sqs: { QueueUrl: { Ref: 'Queue' }, RoleArn } };
const toTopic = (Topic: string) => ({ Republish: { Topic, RoleArn } });
const toFile = (Key: string) => ({ S3: { BucketName: 'files', Key, RoleArn } });

interface Planted {
  readonly sql?: string;
  readonly action?: object;
  readonly errorAction?: object | null;
}

const rule = (
  name: string,
  { sql = "SELECT * FROM 'dt/#'", action = toStream, errorAction = toQueue }: Planted,
) => ({
  Type: 'AWS::IoT::TopicRule',
  Properties: {
    RuleName: name,
    TopicRulePayload: {
      AwsIotSqlVersion: '2016-03-23',
      Sql: sql,
      Actions: [action],
      ...(errorAction !== null && { ErrorAction: errorAction }),
    },
  },
});

function findings(rules: Readonly<Record<string, Planted>>, more: object = {}): string[] {
  const declared = Object.entries(rules).map(([name, planted]) => [name, rule(name, planted)]);
  const template = { Resources: { ...RESOURCES, ...Object.fromEntries(declared), ...more } };
  const stack = resolveTemplate(template, { ...PLACE, partition: 'aws', stackName: 's' });
  expect(stack.problems).toEqual([]);
  return checkRules(stack, PLACE).map(
    ({ code, where, problem }) => `${code} | ${where} | ${problem}`,
  );
}

describe('a rule is not to be deployed', () => {
  const PLANTED: readonly (Planted & { readonly what: string; readonly says: RegExp })[] = [
    {
      what: 'with a statement that is none',
      sql: 'SELECT',
      says: /^statement \| r, SQL \| line 1/,
    },
    {
      what: 'with a template that is none',
      action: toTopic($('topic(').slice(0, -1)),
      says: /^statement \| r, action 1: Republish.Topic \| line 1/,
    },
    { what: 'without error action', errorAction: null, says: /^error-action \| r, error action/ },
    {
      what: 'where the payload names the topic',
      action: toTopic(`cmd/${$('target')}`),
      says: /^redirection \| r, action 1: Republish.Topic \| .*payload/,
    },
    {
      what: 'where a variable brings the payload in',
      sql: "SET @t = concat(topic(2), target) SELECT * FROM 'dt/#'",
      action: toTopic(`cmd/${$('@t')}`),
      says: /^redirection/,
    },
    {
      what: 'where a user property names the topic',
      action: toTopic(`cmd/${$("get(get_user_properties('to'), 0)")}`),
      says: /^redirection/,
    },
    {
      what: 'where the payload names the object',
      action: toFile(`raw/${$('id')}`),
      says: /^redirection \| r, action 1: S3.Key/,
    },
    {
      what: 'where the error action follows the payload',
      errorAction: toFile(`raw/${$('id')}`),
      says: /^redirection \| r, error action: S3.Key/,
    },
    {
      what: 'where a publisher names the stream',
      action: { Kinesis: { ...toStream.Kinesis, StreamName: $('topic(2)') } },
      says: /^redirection \| r, action 1: Kinesis.StreamName \| .*whoever publishes/,
    },
    {
      what: 'with a division of two whole numbers',
      sql: "SELECT (t - 32) * 5 / 9 AS c FROM 'dt/#'",
      says: /^integer-division \| r, SQL \| \(t - 32\) \* 5 \/ 9 may cut/,
    },
    {
      what: 'with a division in a template',
      action: toFile(`raw/${$('timestamp() / 1000')}`),
      says: /^integer-division \| r, action 1: S3.Key \| timestamp\(\) \/ 1000/,
    },
    {
      what: 'that leads to no stream',
      action: { Kinesis: { ...toStream.Kinesis, StreamName: 'uplink' } },
      says: /^target \| r, action 1: Kinesis.StreamName \| .* AWS::Kinesis::Stream uplink/,
    },
    {
      what: 'whose role lacks the key',
      action: { Kinesis: { ...toStream.Kinesis, RoleArn: arnOf('Narrow') } },
      says: /^role \| r, action 1: Kinesis.RoleArn \| does not grant kms:GenerateDataKey/,
    },
    {
      what: 'whose role is for another prefix',
      action: toFile('other/x'),
      says: /^role \| r, action 1: S3.RoleArn \| does not grant s3:PutObject/,
    },
    {
      what: 'whose role IoT cannot take',
      action: { Sqs: { ...toQueue.Sqs, RoleArn: arnOf('Foreign') } },
      says: /^role \| r, action 1: Sqs.RoleArn \| does not trust iot.amazonaws.com/,
    },
    {
      what: 'whose role is not there',
      action: { Sqs: { ...toQueue.Sqs, RoleArn: 'arn:aws:iam::000000000000:role/x' } },
      says: /^role \| r, action 1: Sqs.RoleArn \| the template declares no role/,
    },
    {
      what: 'that may not invoke its function',
      action: { Lambda: { FunctionArn: arnOf('Function') } },
      says: /^role \| r, action 1: Lambda.FunctionArn \| no AWS::Lambda::Permission/,
    },
    ...['dt/x', $('topic()'), `${$('topic(1)')}/x`, `d${$('clientid()')}`].map((topic) => ({
      what: `that republishes to ${topic} and so into itself`,
      action: toTopic(topic),
      says: /^republish-loop \| r, action 1: Republish.Topic \| .*its own FROM/,
    })),
    {
      what: 'that reaches itself by Basic Ingest',
      action: toTopic('$$aws/rules/r/x'),
      says: /^republish-loop/,
    },
    {
      what: 'whose failures come back',
      errorAction: toTopic('dt/errors'),
      says: /^republish-loop \| r, error action/,
    },
  ];

  it.each(PLANTED)('$what', ({ what: _, says, ...planted }) => {
    expect(findings({ r: planted })).toEqual([expect.stringMatching(says)]);
  });

  it('where it comes back to itself through another', () => {
    const found = findings({
      one: { sql: "SELECT * FROM 'a/+'", action: toTopic(`b/${$('topic(2)')}`) },
      two: { sql: "SELECT * FROM 'b/#'", action: toTopic('a/x') },
      three: { sql: "SELECT * FROM 'c'", action: toTopic('a/y') },
    });
    expect(found).toEqual([
      expect.stringMatching(/^republish-loop \| one, action 1.*FROM of two, and from there/),
      expect.stringMatching(/^republish-loop \| two, action 1.*FROM of one, and from there/),
    ]);
  });
});

describe('a rule is as it should be', () => {
  it.each<Planted & { readonly what: string }>([
    { what: 'as the project writes it' },
    { what: 'with a topic from the connection', action: toTopic(`cmd/${$('principal()')}`) },
    {
      what: 'with a key from topic and time',
      action: toFile(`raw/${$('topic()')}/${$('timestamp()')}`),
    },
    {
      what: 'with a key of the stream from the payload, which orders and does not lead elsewhere',
      action: { Kinesis: { ...toStream.Kinesis, PartitionKey: $('WirelessDeviceId') } },
    },
    {
      what: 'with a variable from the connection',
      sql: "SET @t = topic(3) SELECT * FROM 'dt/#'",
      action: toTopic(`cmd/${$('@t')}`),
    },
    { what: 'with a divisor that has a fraction', sql: "SELECT a / 1.8 AS b FROM 'dt/#'" },
    { what: 'with text divided', sql: "SELECT cast(a AS String) / 10 AS b FROM 'dt/#'" },
    { what: 'with a division cut on purpose', sql: "SELECT trunc(a / 10, 0) AS b FROM 'dt/#'" },
    { what: 'with a remainder', sql: "SELECT a % 10 AS b FROM 'dt/#'" },
    {
      what: 'with a topic one level deeper than FROM',
      sql: "SELECT * FROM 'dt/+/+'",
      action: toTopic(`${$('topic()')}/x`),
    },
    {
      what: 'with a reserved topic, which no leading wildcard matches',
      sql: "SELECT * FROM '#'",
      action: toTopic('$$aws/things/x/shadow/update'),
    },
    {
      what: 'with the first level changed',
      sql: "SELECT * FROM 'dt/+/x'",
      action: toTopic(`cmd/${$('topic(2)')}/x`),
    },
  ])('$what', ({ what: _, ...planted }) => {
    expect(findings({ r: planted })).toEqual([]);
  });
});

describe('the overlap of two patterns', () => {
  const levels = fc.array(fc.constantFrom('a', 'b', '+'), { minLength: 1, maxLength: 3 });
  const filters = fc
    .tuple(levels, fc.boolean())
    .map(([parts, open]) => [...parts, ...(open ? ['#'] : [])].join('/'));
  const parts = fc.array(
    fc.oneof(
      fc.constantFrom('a', 'b', '/', 'a/').map((text) => ({ pattern: literal(text), like: text })),
      fc.constant({ pattern: LEVEL, like: '[ab]*' }),
      fc.constant({ pattern: ANY, like: '[ab/]*' }),
    ),
    { maxLength: 5 },
  );
  const topics = fc
    .array(fc.constantFrom('a', 'b', '/'), { maxLength: 7 })
    .map((text) => text.join(''));

  it('is there wherever a topic fits both', () => {
    fc.assert(
      fc.property(parts, filters, topics, (template, filter, topic) => {
        const fits = new RegExp(`^${template.map(({ like }) => like).join('')}$`).test(topic);
        if (!fits || !topicMatches(filter, topic)) return;
        const pattern: TopicPattern = template.flatMap((part) => part.pattern);
        expect(overlaps(pattern, filterPattern(filter))).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    { one: 'a/b', other: 'a/+', is: true },
    { one: 'a/b/c', other: 'a/+', is: false },
    { one: '+/b', other: 'a/+', is: true },
    { one: 'b/#', other: 'a/#', is: false },
  ])('of $one and $other is $is', ({ one, other, is }) => {
    expect(overlaps(filterPattern(one), filterPattern(other))).toBe(is);
  });
});
