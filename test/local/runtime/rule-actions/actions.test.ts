import { afterEach, describe, expect, it } from '@jest/globals';
import type {
  LogEvent,
  RepublishedMessage,
  RuleSinks,
} from '../../../../local/runtime/rule-actions/action.ts';
import {
  ACCOUNT,
  arn,
  NOW_MS,
  openStores,
  queueUrl,
  REGION,
  ROLE,
  type RuleOptions,
  startEngine,
  template,
  toErrors,
} from '../rules-world.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** An engine with one rule of one action, and what its error action got. */
async function setup(
  action: unknown,
  sinks: Partial<RuleSinks> = {},
  { sql, denied = [] }: RuleOptions & { readonly denied?: readonly string[] } = {},
) {
  const stores = await openStores();
  cleanUps.push(stores.close);
  const rule = { actions: [action], errorAction: toErrors, ...(sql !== undefined && { sql }) };
  const engine = startEngine([rule], { operations: stores.operations, ...sinks }, { denied });
  const failures = async () =>
    (await stores.bodies('errors')).flatMap((body) => JSON.parse(body).failures);
  return { stores, failures, ...engine };
}

const refusal = (action: unknown, sinks?: Partial<RuleSinks>) =>
  setup(action, sinks).then(
    () => 'accepted',
    (error: Error) => error.message,
  );

describe('Sqs', () => {
  it('sends base64 where asked, and plain text otherwise', async () => {
    const base64 = { Sqs: { QueueUrl: queueUrl('work'), UseBase64: true, RoleArn: ROLE } };
    const { publish, stores } = await setup(base64);
    await publish('dt/a', Uint8Array.of(0, 255));
    expect(await stores.bodies('work')).toEqual([Buffer.from([0, 255]).toString('base64')]);
  });

  it('fails for bytes that are no text', async () => {
    const { publish, failures } = await setup({
      Sqs: { QueueUrl: queueUrl('work'), RoleArn: ROLE },
    });
    await publish('dt/a', Uint8Array.of(0, 255));
    expect(await failures()).toMatchObject([
      { failedAction: 'SqsAction', errorMessage: expect.stringContaining('not UTF-8') },
    ]);
  });
});

describe('DynamoDBv2', () => {
  const action = { DynamoDBv2: { PutItem: { TableName: 'readings' }, RoleArn: ROLE } };

  it('makes each root key an attribute of its type', async () => {
    const { publish, stores, needs } = await setup(action);
    const message =
      '{"pk":"a","n":9007199254740993,"d":1.5,"b":true,"z":null,"l":[1,"x"],"m":{"k":"v"}}';
    await publish('dt/a', Buffer.from(message));
    expect(await stores.item('a')).toEqual({
      pk: { S: 'a' },
      n: { N: '9007199254740993' },
      d: { N: '1.5' },
      b: { BOOL: true },
      z: { NULL: true },
      l: { L: [{ N: '1' }, { S: 'x' }] },
      m: { M: { k: { S: 'v' } } },
    });
    expect(needs).toMatchObject([
      { action: 'dynamodb:PutItem', resource: arn('dynamodb', 'table/readings') },
    ]);
  });

  it.each([
    { payload: { n: 1 }, says: /Missing the key pk/ },
    { payload: { pk: 1 }, says: /Type mismatch for key pk/ },
    { payload: [1], says: /the result is Array/ },
  ])('fails for $payload, which cannot be an item', async ({ payload, says }) => {
    const { publish, failures } = await setup(action, {}, { sql: "SELECT VALUE * FROM 'dt/#'" });
    await publish('dt/a', payload);
    expect(await failures()).toMatchObject([
      {
        failedAction: 'DynamoDBv2Action',
        failedResource: 'readings',
        errorMessage: expect.stringMatching(says),
      },
    ]);
  });
});

describe('Lambda', () => {
  const functionArn = arn('lambda', 'function:tributary-dev-register');
  const action = { Lambda: { FunctionArn: functionArn } };
  const permission = {
    FunctionName: functionArn,
    Action: 'lambda:InvokeFunction',
    Principal: 'iot.amazonaws.com',
    SourceArn: arn('iot', 'rule/telemetry'),
    SourceAccount: ACCOUNT,
  };

  const withFunction = (permissions: readonly unknown[], invokeAsync?: () => never) => {
    const events: unknown[] = [];
    const take = (name: string, event: unknown) => events.push([name, event]);
    return { events, sinks: { lambda: { permissions, invokeAsync: invokeAsync ?? take } } };
  };

  it('hands the result over, as JSON, and waits for nothing more', async () => {
    const { sinks, events } = withFunction([permission]);
    const { publish } = await setup(action, sinks);
    await publish('dt/a', { t: 1 });
    expect(events).toEqual([[functionArn, { t: 1 }]]);
  });

  it.each([
    { what: 'none', permissions: [] },
    {
      what: 'one for another rule',
      permissions: [{ ...permission, SourceArn: arn('iot', 'rule/other') }],
    },
    { what: 'one for another account', permissions: [{ ...permission, SourceAccount: '1' }] },
    {
      what: 'one for another service',
      permissions: [{ ...permission, Principal: 's3.amazonaws.com' }],
    },
    { what: 'one for another function', permissions: [{ ...permission, FunctionName: 'other' }] },
  ])('fails where the function has no permission for the rule: $what', async ({ permissions }) => {
    const { sinks, events } = withFunction(permissions);
    const { publish, failures } = await setup(action, sinks);
    await publish('dt/a', {});
    expect(events).toEqual([]);
    expect(await failures()).toMatchObject([
      {
        failedAction: 'LambdaAction',
        failedResource: functionArn,
        errorMessage: expect.stringContaining('not authorized to perform: lambda:InvokeFunction'),
      },
    ]);
  });

  it.each(['tributary-dev-register', `${functionArn}:live`])(
    'knows the function of a permission by %s, and a rule by a wildcard',
    async (FunctionName) => {
      const SourceArn = arn('iot', 'rule/tele*');
      const { sinks, events } = withFunction([{ ...permission, FunctionName, SourceArn }]);
      const { publish } = await setup(action, sinks);
      await publish('dt/a', {});
      expect(events).toHaveLength(1);
    },
  );

  it('fails for raw bytes, which a function does not take', async () => {
    const { sinks } = withFunction([permission]);
    const { publish, failures } = await setup(action, sinks);
    await publish('dt/a', Buffer.from('text'));
    expect(await failures()).toMatchObject([{ errorMessage: expect.stringContaining('encode(*') }]);
  });
});

describe('Republish', () => {
  const receive = () => {
    const sent: RepublishedMessage[] = [];
    const deliver = async (message: RepublishedMessage) => {
      sent.push(message);
    };
    return { sent, sinks: { deliver } };
  };

  it('sends the result on, under a topic and headers of its making', async () => {
    const { sent, sinks } = receive();
    const { publish, needs } = await setup(
      {
        Republish: {
          Topic: `alert/${template('topic(2)')}`,
          Qos: 1,
          RoleArn: ROLE,
          Headers: {
            PayloadFormatIndicator: 'UTF8_DATA',
            ContentType: 'application/json',
            ResponseTopic: `cmd/${template('topic(2)')}`,
            CorrelationData: template("encode('id', 'base64')"),
            UserProperties: [{ Key: 'kind', Value: template('kind') }],
          },
        },
      },
      sinks,
    );
    await publish('dt/north', { kind: 'fire' });
    expect(sent).toEqual([
      {
        topic: 'alert/north',
        payload: Buffer.from('{"kind":"fire"}'),
        qos: 1,
        properties: {
          payloadFormatIndicator: true,
          contentType: 'application/json',
          responseTopic: 'cmd/north',
          correlationData: Buffer.from('id'),
          userProperties: [['kind', 'fire']],
        },
      },
    ]);
    expect(needs).toMatchObject([
      { action: 'iot:Publish', resource: arn('iot', 'topic/alert/north') },
    ]);
  });

  it('reaches reserved topics by two dollar signs', async () => {
    const { sent, sinks } = receive();
    const Topic = '$$aws/things/a/shadow/update';
    const { publish } = await setup({ Republish: { Topic, RoleArn: ROLE } }, sinks);
    await publish('dt/a', {});
    expect(sent.map(({ topic }) => topic)).toEqual(['$aws/things/a/shadow/update']);
    const single = { Republish: { Topic: '$aws/things/a', RoleArn: ROLE } };
    expect(await refusal(single, sinks)).toMatch(/write \$\$aws\/things\/a/);
  });

  it.each([
    { topic: '', says: /is empty/ },
    { topic: 'a/+', says: /wildcard/ },
    { topic: 'x'.repeat(257), says: /longer than 256 bytes/ },
  ])('fails for the topic $topic', async ({ topic, says }) => {
    const { sent, sinks } = receive();
    const { publish, failures } = await setup(
      { Republish: { Topic: template('t'), RoleArn: ROLE } },
      sinks,
    );
    await publish('dt/a', { t: topic });
    expect(sent).toEqual([]);
    expect(await failures()).toMatchObject([
      { failedAction: 'RepublishAction', errorMessage: expect.stringMatching(says) },
    ]);
  });

  it('is refused with a message expiry, which the broker does not take from rules', async () => {
    const Republish = { Topic: 'a', RoleArn: ROLE, Headers: { MessageExpiry: '60' } };
    expect(await refusal({ Republish }, receive().sinks)).toMatch(/MessageExpiry/);
  });
});

describe('S3', () => {
  it('writes one object a message, with the raw bytes of SELECT *', async () => {
    const written: unknown[] = [];
    const put = async (bucket: string, key: string, content: Uint8Array) => {
      written.push([bucket, key, Buffer.from(content).toString('hex')]);
    };
    const Key = `${template('topic()')}/${template('timestamp()')}`;
    const S3 = { BucketName: 'archive', Key, RoleArn: ROLE };
    const { publish, needs } = await setup({ S3 }, { objects: { put } });
    await publish('dt/a', Uint8Array.of(0, 255));
    expect(written).toEqual([['archive', `dt/a/${NOW_MS}`, '00ff']]);
    expect(needs).toMatchObject([
      { action: 's3:PutObject', resource: `arn:aws:s3:::archive/dt/a/${NOW_MS}` },
    ]);
    const isPublic = { S3: { ...S3, CannedAcl: 'public-read' } };
    expect(await refusal(isPublic, { objects: { put } })).toMatch(/CannedAcl: .*private only/);
  });
});

describe('Firehose', () => {
  const receive = () => {
    const records: string[] = [];
    const put = async (name: string, contents: readonly Uint8Array[]) => {
      records.push(...contents.map((content) => `${name}:${Buffer.from(content)}`));
    };
    return { records, sinks: { deliveryStreams: { put } } };
  };
  const Firehose = { DeliveryStreamName: 'archive', Separator: '\n', RoleArn: ROLE };

  it('writes a record a message, with its separator', async () => {
    const { records, sinks } = receive();
    const { publish, needs } = await setup({ Firehose }, sinks);
    await publish('dt/a', { t: 1 });
    expect(records).toEqual(['archive:{"t":1}\n']);
    expect(needs).toMatchObject([
      { action: 'firehose:PutRecord', resource: arn('firehose', 'deliverystream/archive') },
    ]);
  });

  it('writes a record an element in batch mode, and takes nothing but arrays then', async () => {
    const { records, sinks } = receive();
    const { publish, failures, needs } = await setup(
      { Firehose: { ...Firehose, BatchMode: true } },
      sinks,
      { sql: "SELECT VALUE list FROM 'dt/#'" },
    );
    await publish('dt/a', { list: [1, { t: 2 }] });
    await publish('dt/a', { list: 1 });
    await publish('dt/a', { list: Array(501).fill(0) });
    expect(records).toEqual(['archive:1\n', 'archive:{"t":2}\n']);
    expect(needs[0]?.action).toBe('firehose:PutRecordBatch');
    expect((await failures()).map(({ errorMessage }) => errorMessage)).toEqual([
      expect.stringContaining('must be an array'),
      expect.stringContaining('500 elements, not 501'),
    ]);
  });
});

describe('CloudwatchLogs', () => {
  const receive = () => {
    const logged: (readonly [string, readonly LogEvent[]])[] = [];
    return {
      logged,
      sinks: {
        logEvents: (group: string, events: readonly LogEvent[]) =>
          void logged.push([group, events]),
      },
    };
  };
  const CloudwatchLogs = { LogGroupName: '/iot/rule', RoleArn: ROLE };

  it('writes the result as one event, under the three grants it takes', async () => {
    const { logged, sinks } = receive();
    const { publish, needs } = await setup({ CloudwatchLogs }, sinks);
    await publish('dt/a', { t: 1 });
    expect(logged).toEqual([['/iot/rule', [{ timestampMs: NOW_MS, message: '{"t":1}' }]]]);
    expect(needs.map(({ action }) => action)).toEqual([
      'logs:CreateLogStream',
      'logs:DescribeLogStreams',
      'logs:PutLogEvents',
    ]);
  });

  it('writes an event an element in batch mode', async () => {
    const { logged, sinks } = receive();
    const batch = { CloudwatchLogs: { ...CloudwatchLogs, BatchMode: true } };
    const { publish, failures } = await setup(batch, sinks, { sql: "SELECT VALUE l FROM 'dt/#'" });
    await publish('dt/a', { l: [{ timestamp: 5, message: 'x' }] });
    await publish('dt/a', { l: [{ timestamp: 5 }] });
    expect(logged).toEqual([['/iot/rule', [{ timestampMs: 5, message: 'x' }]]]);
    expect(await failures()).toMatchObject([
      { errorMessage: expect.stringContaining('element 0') },
    ]);
  });
});

describe('Sns', () => {
  it('publishes the result as text', async () => {
    const published: unknown[] = [];
    const TargetArn = arn('sns', 'alerts');
    const { publish, needs } = await setup(
      { Sns: { TargetArn, MessageFormat: 'JSON', RoleArn: ROLE } },
      {
        topics: {
          needs: (resource) => [{ action: 'sns:Publish', resource }],
          publish: (...message) => published.push(message),
        },
      },
    );
    await publish('dt/a', { default: 'x' });
    expect(published).toEqual([[TargetArn, { message: '{"default":"x"}', perProtocol: true }]]);
    expect(needs).toMatchObject([{ action: 'sns:Publish', resource: TargetArn }]);
  });
});

describe('Http', () => {
  const serve = (...statuses: number[]) => {
    const requests: unknown[] = [];
    const post: RuleSinks['post'] = async (url, { headers, body }) => {
      requests.push([url, headers, Buffer.from(body).toString()]);
      return { status: statuses.shift() ?? 200 };
    };
    return { requests, sinks: { post } };
  };

  it('posts to a server on this machine', async () => {
    const { requests, sinks } = serve();
    const Headers = [{ Key: 'x-thing', Value: template('topic(2)') }];
    const { publish } = await setup({ Http: { Url: 'http://127.0.0.1:8080/in', Headers } }, sinks);
    await publish('dt/a', { t: 1 });
    expect(requests).toEqual([
      [
        'http://127.0.0.1:8080/in',
        { 'content-type': 'application/json', 'x-thing': 'a' },
        '{"t":1}',
      ],
    ]);
  });

  it('tries again when the server is at fault', async () => {
    const { requests, sinks } = serve(503, 429, 200);
    const { publish, failures } = await setup({ Http: { Url: 'http://localhost/in' } }, sinks);
    await publish('dt/a', {});
    expect(requests).toHaveLength(3);
    expect(await failures()).toEqual([]);
  });

  it.each([
    'https://example.org/in',
    'http://127.0.0.1.example.org/',
    'http://localhost@example.org/',
    'ftp://localhost/',
    'http://0.0.0.0/',
  ])('is refused for %s, which is not this machine', async (Url) => {
    expect(await refusal({ Http: { Url } }, serve().sinks)).toMatch(/loopback only/);
    const { requests, sinks } = serve();
    const { publish, failures } = await setup({ Http: { Url: template('url') } }, sinks);
    await publish('dt/a', { url: Url });
    expect(requests).toEqual([]);
    expect(await failures()).toMatchObject([
      { failedAction: 'HttpAction', errorMessage: expect.stringContaining('loopback only') },
    ]);
  });

  it.each(['Auth', 'BatchConfig', 'EnableBatching', 'ConfirmationUrl'])(
    'is refused with %s',
    async (name) => {
      const Http = { Url: 'http://localhost/', [name]: {} };
      expect(await refusal({ Http }, serve().sinks)).toContain(name);
    },
  );
});

describe('every action that leaves the services', () => {
  const sinks = {
    deliver: async () => {},
    objects: { put: async () => {} },
    deliveryStreams: { put: async () => {} },
    topics: {
      needs: (resource: string) => [{ action: 'sns:Publish', resource }],
      publish: () => {},
    },
    logEvents: () => {},
  };

  it.each([
    { denied: 'iot:Publish', action: { Republish: { Topic: 'a', RoleArn: ROLE } } },
    { denied: 's3:PutObject', action: { S3: { BucketName: 'b', Key: 'k', RoleArn: ROLE } } },
    {
      denied: 'firehose:PutRecord',
      action: { Firehose: { DeliveryStreamName: 's', RoleArn: ROLE } },
    },
    { denied: 'sns:Publish', action: { Sns: { TargetArn: 'arn:a', RoleArn: ROLE } } },
    {
      denied: 'logs:PutLogEvents',
      action: { CloudwatchLogs: { LogGroupName: 'g', RoleArn: ROLE } },
    },
  ])('fails without $denied', async ({ denied, action }) => {
    const { publish, failures } = await setup(action, sinks, { denied: [denied] });
    await publish('dt/a', {});
    expect(await failures()).toMatchObject([
      { errorMessage: expect.stringContaining(`not authorized to perform: ${denied}`) },
    ]);
  });

  it.each([
    'Republish',
    'S3',
    'Firehose',
    'Sns',
    'CloudwatchLogs',
    'Http',
    'Lambda',
    'Kinesis',
    'Sqs',
  ])('%s is refused where the laptop has nothing behind it', (kind) => {
    const declarations: Record<string, unknown> = {
      Republish: { Topic: 'a', RoleArn: ROLE },
      S3: { BucketName: 'b', Key: 'k', RoleArn: ROLE },
      Firehose: { DeliveryStreamName: 's', RoleArn: ROLE },
      Sns: { TargetArn: 'arn:a', RoleArn: ROLE },
      CloudwatchLogs: { LogGroupName: 'g', RoleArn: ROLE },
      Http: { Url: 'http://localhost/' },
      Lambda: { FunctionArn: arn('lambda', 'function:f') },
      Kinesis: { StreamName: 's', PartitionKey: 'k', RoleArn: ROLE },
      Sqs: { QueueUrl: `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/q`, RoleArn: ROLE },
    };
    const rule = { actions: [{ [kind]: declarations[kind] }] };
    expect(() => startEngine([rule], { operations: [] })).toThrow(
      new RegExp(`action 1: ${kind}: the laptop`),
    );
  });
});
