import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  PublishBatchCommand,
  PublishCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  bootLaptop,
  connectDevice,
  drainQueue,
  publishHttps,
  type TestLaptop,
} from '../support/laptop.ts';
import type { Template } from '../support/template.ts';

const ACCOUNT = '000000000000';
const topicArn = `arn:aws:sns:eu-central-1:${ACCOUNT}:tributary-dev-news`;
const expression = (text: string) => `\${${text}}`;

const queue = (name: string) => ({
  Type: 'AWS::SQS::Queue',
  Properties: { QueueName: `tributary-dev-${name}` },
});
const attribute = (id: string, name: string) => ({ 'Fn::GetAtt': [id, name] });
const role = (actions: readonly string[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {},
    Policies: [
      {
        PolicyName: 'all',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
        },
      },
    ],
  },
});
const RoleArn = attribute('TestRole', 'Arn');
const rule = (name: string, Sql: string, ...Actions: readonly object[]) => ({
  Type: 'AWS::IoT::TopicRule',
  Properties: {
    RuleName: name,
    TopicRulePayload: { AwsIotSqlVersion: '2016-03-23', Sql, Actions },
  },
});
const toQueue = (id: string) => ({ Sqs: { QueueUrl: { Ref: id }, RoleArn } });

const resources = (port: number) => ({
  TestRole: role([
    's3:PutObject',
    'sns:Publish',
    'sqs:SendMessage',
    'logs:*',
    'firehose:PutRecord',
    'iot:*',
    'dynamodb:GetItem',
    'kms:Decrypt',
  ]),
  PresenceQueue: queue('presence'),
  AnswersQueue: queue('answers'),
  NewsQueue: queue('news'),
  RawNewsQueue: queue('raw-news'),
  DeafQueue: queue('deaf'),
  News: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'tributary-dev-news' } },
  NewsPolicy: {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: 'NewsQueue' }, { Ref: 'RawNewsQueue' }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Principal: { Service: 'sns.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: '*',
          Condition: { ArnEquals: { 'aws:SourceArn': { Ref: 'News' } } },
        },
      },
    },
  },
  ...Object.fromEntries(
    ['News', 'RawNews', 'Deaf'].map((name) => [
      `${name}Subscription`,
      {
        Type: 'AWS::SNS::Subscription',
        Properties: {
          TopicArn: { Ref: 'News' },
          Protocol: 'sqs',
          Endpoint: attribute(`${name}Queue`, 'Arn'),
          RawMessageDelivery: name === 'RawNews',
        },
      },
    ]),
  ),
  Files: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'tributary-dev-files' } },
  FilesPolicy: {
    Type: 'AWS::S3::BucketPolicy',
    Properties: {
      Bucket: { Ref: 'Files' },
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Principal: { Service: 'iot.amazonaws.com' },
          Action: 's3:GetObject',
          Resource: 'arn:aws:s3:::tributary-dev-files/schema/*',
          Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
        },
      },
    },
  },
  Direct: {
    Type: 'AWS::KinesisFirehose::DeliveryStream',
    Properties: {
      DeliveryStreamName: 'tributary-dev-direct',
      ExtendedS3DestinationConfiguration: {
        BucketARN: attribute('Files', 'Arn'),
        RoleARN: RoleArn,
        Prefix: 'direct/!{timestamp:yyyy}/',
      },
    },
  },
  Lines: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/rules/lines' } },
  Presence: rule(
    'presence',
    "SELECT clientId, eventType FROM '$aws/events/presence/+/+'",
    toQueue('PresenceQueue'),
  ),
  Answers: rule(
    'answers',
    `SELECT get_registry_data('DescribeThing', topic(2), 'arn:aws:iam::${ACCOUNT}:role/test').attributes.fleet AS fleet,
      get_dynamodb('tributary-dev-devices', 'pk', 'nobody', 'sk', 'x', 'arn:aws:iam::${ACCOUNT}:role/test') AS device
      FROM 'ask/+'`,
    toQueue('AnswersQueue'),
  ),
  Binary: rule(
    'binary',
    "SELECT decode(*, 'proto', 'tributary-dev-files', 'schema/count.desc', 'count.proto', 'Count') AS value FROM 'binary'",
    toQueue('AnswersQueue'),
  ),
  Everything: rule(
    'everything',
    "SELECT * FROM 'all/#'",
    { Sns: { TargetArn: { Ref: 'News' }, MessageFormat: 'RAW', RoleArn } },
    { S3: { BucketName: 'tributary-dev-files', Key: `raw/${expression('topic(2)')}`, RoleArn } },
    { Firehose: { DeliveryStreamName: 'tributary-dev-direct', Separator: '\n', RoleArn } },
    { CloudwatchLogs: { LogGroupName: '/rules/lines', RoleArn } },
    { Http: { Url: `http://127.0.0.1:${port}/hook` } },
  ),
  Again: rule('again', "SELECT n + 1 AS n FROM 'first/+'", {
    Republish: { Topic: `second/${expression('topic(2)')}`, Qos: 1, RoleArn },
  }),
  Second: rule('second', "SELECT n, topic() AS t FROM 'second/+'", toQueue('AnswersQueue')),
  Loop: rule('loop', "SELECT * FROM 'loop'", { Republish: { Topic: 'loop', RoleArn } }),
});

/** `message Count { int32 n = 1; }` */
const DESCRIPTORS = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: 'count.proto',
        syntax: 'proto3',
        messageType: [
          {
            name: 'Count',
            field: [
              {
                name: 'n',
                jsonName: 'n',
                number: 1,
                type: FieldDescriptorProto_Type.INT32,
                label: FieldDescriptorProto_Label.OPTIONAL,
              },
            ],
          },
        ],
      },
    ],
  }),
);

/** Adds the rules of these tests to the template. */
function plant(template: Template, port: number): void {
  const planted = resources(port);
  Object.assign(planted.TestRole.Properties, { RoleName: 'test' });
  Object.assign(template.Resources, planted);
}

const posted: string[] = [];
const server = createServer((request, response) => {
  request.on('data', (chunk: Buffer) => posted.push(`${request.url} ${chunk.toString()}`));
  request.on('end', () => response.end());
});

let laptop: TestLaptop;
let sns: SNSClient;
let sqs: SQSClient;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  laptop = await bootLaptop({
    change: (template) => {
      plant(template, port);
      allowEverywhere(template);
    },
  });
  sns = new SNSClient(laptop.client);
  sqs = new SQSClient(laptop.client);
});
afterAll(async () => {
  sns.destroy();
  sqs.destroy();
  await laptop.close();
  server.close();
});

/** Lets devices publish to any topic, so that rules of these tests can be reached. */
function allowEverywhere(template: Template): void {
  const policy = template.Resources['DevicePolicy']?.Properties?.['PolicyDocument'] as {
    Statement: unknown[];
  };
  policy.Statement.push({ Effect: 'Allow', Action: 'iot:Publish', Resource: '*' });
}

describe('a rule of the template', () => {
  it('on lifecycle events puts them on its queue', async () => {
    const device = await laptop.addDevice('presence-1', 'acme');
    const client = await connectDevice(laptop, device);
    await client.endAsync();
    const events: string[] = [];
    while (events.length < 2) events.push(...(await drainQueue(laptop, 'presence')));
    expect(events.map((body) => JSON.parse(body))).toEqual([
      { clientId: 'presence-1', eventType: 'connected' },
      { clientId: 'presence-1', eventType: 'disconnected' },
    ]);
  });

  it('asks the registry and a table while it is evaluated', async () => {
    const device = await laptop.addDevice('ask-1', 'acme');
    await publishHttps(laptop, device, 'ask/ask-1', '{}');
    expect((await drainQueue(laptop, 'answers')).map((body) => JSON.parse(body))).toEqual([
      { fleet: 'acme' },
    ]);
  });

  it('decodes protobuf by a descriptor from its bucket', async () => {
    const folder = join(laptop.objectsDirectory, 'tributary-dev-files', 'schema');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'count.desc'), DESCRIPTORS);
    const device = await laptop.addDevice('binary-1', 'acme');
    await publishHttps(laptop, device, 'binary', Uint8Array.of(0x08, 0x07));
    const seen = await drainQueue(laptop, 'answers');
    expect(seen.map((body) => JSON.parse(body))).toEqual([{ value: { n: 7 } }]);
  });

  it('runs every kind of action', async () => {
    const device = await laptop.addDevice('all-1', 'acme');
    await publishHttps(laptop, device, 'all/one', '{"a":1}');
    const files = join(laptop.objectsDirectory, 'tributary-dev-files');
    expect(readFileSync(join(files, 'raw/one'), 'utf8')).toBe('{"a":1}');
    const [direct = ''] = readdirSync(join(files, 'direct'), { recursive: true })
      .map(String)
      .filter((name) => name.includes('tributary-dev-direct'));
    expect(readFileSync(join(files, 'direct', direct), 'utf8')).toBe('{"a":1}\n');
    expect(laptop.log).toContainEqual(
      expect.objectContaining({ source: 'logs', message: '{"a":1}', logGroup: '/rules/lines' }),
    );
    expect(posted).toEqual(['/hook {"a":1}']);
    expect(await drainQueue(laptop, 'raw-news')).toEqual(['{"a":1}']);
    const [envelope = ''] = await drainQueue(laptop, 'news');
    expect(JSON.parse(envelope)).toMatchObject({
      Type: 'Notification',
      TopicArn: topicArn,
      Message: '{"a":1}',
    });
  });

  it('republishes, and another rule sees it', async () => {
    const device = await laptop.addDevice('again-1', 'acme');
    await publishHttps(laptop, device, 'first/x', '{"n":1}');
    const seen = await drainQueue(laptop, 'answers');
    expect(seen.map((body) => JSON.parse(body))).toEqual([{ n: 2, t: 'second/x' }]);
  });

  it('that republishes into itself is cut, and the log says that AWS would not', async () => {
    const device = await laptop.addDevice('loop-1', 'acme');
    await publishHttps(laptop, device, 'loop', '{}');
    const cut = () => laptop.log.find(({ message }) => /AWS would not/.test(message));
    while (cut() === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(cut()).toMatchObject({ level: 'error', source: 'rules' });
  });
});

describe('a topic', () => {
  const received = async (name: string) => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: `${laptop.client.endpoint}/${ACCOUNT}/tributary-dev-${name}`,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
        VisibilityTimeout: 600,
      }),
    );
    return Messages;
  };

  it('delivers what a client publishes, with its attributes, in an envelope or raw', async () => {
    const { MessageId } = await sns.send(
      new PublishCommand({
        TopicArn: topicArn,
        Message: 'hello',
        Subject: 'greeting',
        MessageAttributes: { kind: { DataType: 'String', StringValue: 'test' } },
      }),
    );
    const [enveloped] = await received('news');
    expect(JSON.parse(enveloped?.Body ?? '')).toMatchObject({
      Type: 'Notification',
      MessageId,
      Subject: 'greeting',
      Message: 'hello',
      Timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      SignatureVersion: '1',
      MessageAttributes: { kind: { Type: 'String', Value: 'test' } },
    });
    const [raw] = await received('raw-news');
    expect(raw).toMatchObject({
      Body: 'hello',
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'test' } },
    });
  });

  it('takes batches, and says which entries failed', async () => {
    const { Successful, Failed } = await sns.send(
      new PublishBatchCommand({
        TopicArn: topicArn,
        PublishBatchRequestEntries: [
          { Id: 'a', Message: '{"default":"d","sqs":"s"}', MessageStructure: 'json' },
          { Id: 'b', Message: 'x', Subject: '\n' },
        ],
      }),
    );
    expect(Successful).toMatchObject([{ Id: 'a' }]);
    expect(Failed).toMatchObject([{ Id: 'b', Code: 'InvalidParameter', SenderFault: true }]);
    expect((await received('raw-news')).map(({ Body }) => Body)).toEqual(['s']);
    await received('news');
  });

  it('can be read, with its subscriptions', async () => {
    const { Topics } = await sns.send(new ListTopicsCommand({}));
    expect(Topics).toContainEqual({ TopicArn: topicArn });
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn: topicArn }));
    expect(Attributes).toMatchObject({ TopicArn: topicArn, SubscriptionsConfirmed: '3' });
    const { Subscriptions = [] } = await sns.send(
      new ListSubscriptionsByTopicCommand({ TopicArn: topicArn }),
    );
    expect(Subscriptions.map(({ Protocol }) => Protocol)).toEqual(['sqs', 'sqs', 'sqs']);
    const subscription = await sns.send(
      new GetSubscriptionAttributesCommand({
        SubscriptionArn: Subscriptions.find(({ Endpoint }) => Endpoint?.endsWith('raw-news'))
          ?.SubscriptionArn,
      }),
    );
    expect(subscription.Attributes).toMatchObject({ RawMessageDelivery: 'true' });
  });

  it.each([
    { what: 'a topic that is not', topic: `${topicArn}-x`, message: 'x', code: 'NotFound' },
    { what: 'no message', topic: topicArn, message: '', code: 'InvalidParameter' },
  ])('refuses $what with $code', async ({ topic, message, code }) => {
    const command = new PublishCommand({ TopicArn: topic, Message: message });
    await expect(sns.send(command)).rejects.toMatchObject({
      name: expect.stringMatching(new RegExp(`^${code}(Exception)?$`)),
    });
  });

  it('delivers to no queue whose policy does not let it, and says so at the start', async () => {
    expect(await drainQueue(laptop, 'deaf')).toEqual([]);
    expect(laptop.log).toContainEqual(
      expect.objectContaining({
        level: 'error',
        source: 'sns',
        message: expect.stringMatching(/deaf: no policy of .*deaf allows sqs:SendMessage/),
      }),
    );
  });
});

describe('a template is refused, by name, for', () => {
  const refusal = (id: string, resource: object) =>
    bootLaptop({
      change: (template) => {
        plant(template, 9);
        Object.assign(template.Resources, { [id]: resource });
      },
    }).then(
      async (booted) => {
        await booted.close();
        return 'booted';
      },
      (error: Error) => error.message,
    );
  const subscription = (more: object) => ({
    Type: 'AWS::SNS::Subscription',
    Properties: {
      TopicArn: { Ref: 'News' },
      Protocol: 'sqs',
      Endpoint: attribute('NewsQueue', 'Arn'),
      ...more,
    },
  });

  it.each([
    {
      what: 'a secret in a rule',
      resource: rule('r', "SELECT get_secret('s', 'SecretString', 'arn:role') AS s FROM 'a'"),
      says: /rule r, SQL: .*get_secret/,
    },
    {
      what: 'a filter policy',
      resource: subscription({ FilterPolicy: { kind: ['x'] } }),
      says: /Planted\.FilterPolicy: the laptop does not filter/,
    },
    {
      what: 'a web hook',
      resource: subscription({ Protocol: 'https', Endpoint: 'https://example.org' }),
      says: /Planted\.Protocol: the laptop delivers to sqs and lambda/,
    },
    {
      what: 'a FIFO topic',
      resource: { Type: 'AWS::SNS::Topic', Properties: { FifoTopic: true } },
      says: /Planted\.FifoTopic: .*standard topics only/,
    },
    {
      what: 'a transformation in Firehose',
      resource: {
        Type: 'AWS::KinesisFirehose::DeliveryStream',
        Properties: {
          ExtendedS3DestinationConfiguration: {
            BucketARN: attribute('Files', 'Arn'),
            RoleARN: RoleArn,
            ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'Lambda' }] },
          },
        },
      },
      says: /does not have the processor Lambda/,
    },
    {
      what: 'an expression in a prefix',
      resource: {
        Type: 'AWS::KinesisFirehose::DeliveryStream',
        Properties: {
          ExtendedS3DestinationConfiguration: {
            BucketARN: attribute('Files', 'Arn'),
            RoleARN: RoleArn,
            Prefix: '!{partitionKeyFromQuery:x}/',
          },
        },
      },
      says: /!\{partitionKeyFromQuery:x\}/,
    },
  ])('$what', async ({ resource, says }) => {
    expect(await refusal('Planted', resource)).toMatch(says);
  });
});
