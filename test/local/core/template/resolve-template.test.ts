// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how CloudFormation writes a variable
import { describe, expect, it } from '@jest/globals';
import { resolveTemplate } from '../../../../local/core/template/index.ts';

const stack = {
  accountId: '000000000000',
  region: 'eu-central-1',
  partition: 'aws',
  stackName: 'tributary-dev',
};

const resolve = (template: object, parameters?: Record<string, string | number>) =>
  resolveTemplate(template, parameters ? { ...stack, parameters } : stack);

/** Resolves one value, as a property of a resource of no particular type. */
const value = (
  expression: unknown,
  around: { Resources?: object; [section: string]: unknown } = {},
) => {
  const { resources, problems } = resolve({
    ...around,
    Resources: {
      ...around.Resources,
      Probe: { Type: 'Custom::Probe', Properties: { it: expression } },
    },
  });
  return { it: resources.get('Probe')?.properties['it'], problems };
};

const queue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } };

describe('an intrinsic function', () => {
  it.each([
    { of: { Ref: 'AWS::Region' }, is: 'eu-central-1' },
    { of: { Ref: 'AWS::AccountId' }, is: '000000000000' },
    { of: { Ref: 'AWS::Partition' }, is: 'aws' },
    { of: { Ref: 'AWS::StackName' }, is: 'tributary-dev' },
    { of: { Ref: 'AWS::URLSuffix' }, is: 'amazonaws.com' },
    { of: { Ref: 'Queue' }, is: 'https://sqs.eu-central-1.amazonaws.com/000000000000/dead' },
    { of: { 'Fn::GetAtt': ['Queue', 'Arn'] }, is: 'arn:aws:sqs:eu-central-1:000000000000:dead' },
    { of: { 'Fn::GetAtt': 'Queue.QueueName' }, is: 'dead' },
    { of: { 'Fn::Sub': '${AWS::Region}/${Queue.QueueName}' }, is: 'eu-central-1/dead' },
    {
      of: { 'Fn::Sub': 'cert/${!iot:Connection.Thing.ThingName}' },
      is: 'cert/${iot:Connection.Thing.ThingName}',
    },
    {
      of: { 'Fn::Sub': ['${a}-${Queue.QueueName}', { a: { Ref: 'AWS::Region' } }] },
      is: 'eu-central-1-dead',
    },
    { of: { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }, 3]] }, is: 'a-eu-central-1-3' },
    { of: { 'Fn::Join': [',', { 'Fn::Split': ['|', 'a|b'] }] }, is: 'a,b' },
    { of: { 'Fn::Select': ['1', { 'Fn::Split': ['|', 'a|b'] }] }, is: 'b' },
    { of: { 'Fn::Select': [0, ['x', 'y']] }, is: 'x' },
    { of: { 'Fn::Base64': { 'Fn::Sub': 'in ${AWS::Region}' } }, is: 'aW4gZXUtY2VudHJhbC0x' },
    { of: { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'shards'] }, is: 4 },
    { of: { 'Fn::If': ['Yes', 'then', 'else'] }, is: 'then' },
    { of: { 'Fn::If': ['No', { Ref: 'Missing' }, 'else'] }, is: 'else' },
    { of: [1, { Ref: 'AWS::NoValue' }, 2], is: [1, 2] },
    { of: { a: 1, b: { Ref: 'AWS::NoValue' } }, is: { a: 1 } },
    {
      of: { Condition: { Bool: { 'aws:SecureTransport': false } } },
      is: { Condition: { Bool: { 'aws:SecureTransport': false } } },
    },
    { of: 'dt/${topic(3)}', is: 'dt/${topic(3)}' },
  ])('$of is $is', ({ of, is }) => {
    const around = {
      Mappings: { Sizes: { 'eu-central-1': { shards: 4 } } },
      Conditions: { Yes: { 'Fn::Equals': ['a', 'a'] }, No: { 'Fn::Not': [{ Condition: 'Yes' }] } },
      Resources: { Queue: queue },
    };
    expect(value(of, around)).toEqual({ it: is, problems: [] });
  });

  it.each([
    {
      of: { Ref: 'Missing' },
      says: 'Resources.Probe.Properties.it.Ref: "Missing" is neither a resource nor a parameter of the template',
    },
    {
      of: { Ref: 'AWS::Regoin' },
      says: 'Resources.Probe.Properties.it.Ref: there is no pseudo parameter AWS::Regoin',
    },
    {
      of: { 'Fn::GetAtt': ['Queue', 'Colour'] },
      says: 'Resources.Probe.Properties.it.Fn::GetAtt: AWS::SQS::Queue (Queue) has no attribute "Colour"',
    },
    {
      of: { 'Fn::Sub': '${Nobody.Arn}' },
      says: 'Resources.Probe.Properties.it.Fn::Sub: "Nobody" is neither a resource nor a parameter of the template',
    },
    {
      of: { 'Fn::ImportValue': 'other-stack-arn' },
      says: 'Resources.Probe.Properties.it: Fn::ImportValue is not supported',
    },
    {
      of: { 'Fn::Cidr': ['10.0.0.0/16', 2, 8] },
      says: 'Resources.Probe.Properties.it: Fn::Cidr is not supported',
    },
    {
      of: { 'Fn::Select': [5, ['a']] },
      says: 'Resources.Probe.Properties.it.Fn::Select: no item 5 in a list of 1',
    },
    { of: { 'Fn::Join': '-' }, says: 'Resources.Probe.Properties.it.Fn::Join: takes a list of 2' },
    {
      of: { 'Fn::If': ['Maybe', 1, 2] },
      says: 'Resources.Probe.Properties.it.Fn::If: the template declares no condition "Maybe"',
    },
    {
      of: { 'Fn::FindInMap': ['A', 'b', 'c'] },
      says: 'Resources.Probe.Properties.it.Fn::FindInMap: there is no Mappings.A.b.c',
    },
    {
      of: { 'Fn::Sub': 'x', Other: 1 },
      says: 'Resources.Probe.Properties.it: Fn::Sub stands beside other keys, it must be alone',
    },
    {
      of: { deep: ['{{resolve:ssm:/secret}}'] },
      says: 'Resources.Probe.Properties.it.deep[0]: dynamic references ({{resolve:…}}) are not supported',
    },
  ])('$of is refused by name and place', ({ of, says }) => {
    expect(value(of, { Resources: { Queue: queue } }).problems).toEqual([says]);
  });

  it('does not hide one problem behind another', () => {
    expect(value({ a: { Ref: 'One' }, b: [{ Ref: 'Two' }] }).problems).toHaveLength(2);
  });
});

describe('conditions', () => {
  const withStage = (stage: string) => ({
    Parameters: { Stage: { Type: 'String', Default: stage } },
    Conditions: {
      Prod: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] },
      Test: { 'Fn::Or': [{ Condition: 'Prod' }, { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] }] },
      Odd: { 'Fn::And': [{ Condition: 'Test' }, { 'Fn::Not': [{ Condition: 'Prod' }] }] },
    },
    Resources: {
      Prod: { ...queue, Condition: 'Prod' },
      Odd: { Type: 'AWS::SQS::Queue', Condition: 'Odd' },
      After: { Type: 'AWS::SQS::Queue', DependsOn: ['Prod'] },
    },
  });

  it.each([
    { stage: 'dev', kept: ['After'] },
    { stage: 'test', kept: ['Odd', 'After'] },
    { stage: 'prod', kept: ['Prod', 'After'] },
  ])('of stage $stage keep $kept', ({ stage, kept }) => {
    const { resources, problems } = resolve(withStage(stage));
    expect({ kept: [...resources.keys()], problems }).toEqual({ kept, problems: [] });
  });

  it('make a reference to what is left out a problem', () => {
    const template = withStage('dev');
    const { problems } = resolve({
      ...template,
      Resources: {
        ...template.Resources,
        User: { Type: 'Custom::User', Properties: { url: { Ref: 'Prod' } } },
      },
    });
    expect(problems).toEqual([
      'Resources.User.Properties.url.Ref: refers to Prod, whose condition Prod is false',
    ]);
  });

  it('that go in circles are named', () => {
    const { problems } = resolve({
      Conditions: { A: { Condition: 'B' }, B: { Condition: 'A' } },
      Resources: { Queue: { ...queue, Condition: 'A' } },
    });
    expect(problems).toEqual(['Conditions.B.Condition: circular condition A → B → A']);
  });
});

describe('parameters', () => {
  const template = (parameter: object) => ({
    Parameters: { P: parameter },
    Resources: { Probe: { Type: 'Custom::Probe', Properties: { it: { Ref: 'P' } } } },
  });

  it.each([
    { parameter: { Type: 'Number', Default: '4' }, given: undefined, is: 4 },
    { parameter: { Type: 'String', Default: 'x' }, given: 'y', is: 'y' },
    {
      parameter: { Type: 'CommaDelimitedList', Default: 'a, b' },
      given: undefined,
      is: ['a', 'b'],
    },
    { parameter: { Type: 'List<Number>' }, given: '1,2', is: [1, 2] },
  ])('$parameter with $given give $is', ({ parameter, given, is }) => {
    const { resources, problems } = resolve(template(parameter), given ? { P: given } : {});
    expect({ it: resources.get('Probe')?.properties['it'], problems }).toEqual({
      it: is,
      problems: [],
    });
  });

  it.each([
    { parameter: { Type: 'String' }, says: 'Parameters.P: has neither a value nor a default' },
    {
      parameter: { Type: 'String', Default: 'x', AllowedValues: ['a', 'b'] },
      says: 'Parameters.P: "x" is none of a, b',
    },
    { parameter: { Type: 'Number', Default: 'x' }, says: 'Parameters.P: "x" is not a number' },
    {
      parameter: { Type: 'Number', Default: 9, MaxValue: 4 },
      says: 'Parameters.P: 9 is outside -Infinity to 4',
    },
    {
      parameter: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/a' },
      says: 'Parameters.P: type AWS::SSM::Parameter::Value<String> is not supported',
    },
  ])('$parameter are refused', ({ parameter, says }) => {
    expect(resolve(template(parameter)).problems).toEqual([says]);
  });

  it('nobody declared are refused', () => {
    expect(resolve({ Resources: {} }, { Stge: 'dev' }).problems).toEqual([
      'Parameters.Stge: the template declares no such parameter',
    ]);
  });
});

describe('a resource', () => {
  const of = (Type: string, Properties: object = {}) => {
    const { resources, problems } = resolve({ Resources: { It: { Type, Properties } } });
    expect(problems).toEqual([]);
    return resources.get('It');
  };

  it.each([
    [
      'AWS::Lambda::Function',
      { FunctionName: 'f' },
      'f',
      'arn:aws:lambda:eu-central-1:000000000000:function:f',
    ],
    [
      'AWS::Lambda::Version',
      { FunctionName: 'f' },
      'arn:aws:lambda:eu-central-1:000000000000:function:f:1',
      'arn:aws:lambda:eu-central-1:000000000000:function:f:1',
    ],
    ['AWS::IAM::Role', { RoleName: 'r' }, 'r', 'arn:aws:iam::000000000000:role/r'],
    ['AWS::IAM::Role', { RoleName: 'r', Path: '/p/' }, 'r', 'arn:aws:iam::000000000000:role/p/r'],
    [
      'AWS::Kinesis::Stream',
      { Name: 's' },
      's',
      'arn:aws:kinesis:eu-central-1:000000000000:stream/s',
    ],
    [
      'AWS::DynamoDB::Table',
      { TableName: 't' },
      't',
      'arn:aws:dynamodb:eu-central-1:000000000000:table/t',
    ],
    [
      'AWS::SQS::Queue',
      { QueueName: 'q' },
      'https://sqs.eu-central-1.amazonaws.com/000000000000/q',
      'arn:aws:sqs:eu-central-1:000000000000:q',
    ],
    [
      'AWS::SNS::Topic',
      { TopicName: 't' },
      'arn:aws:sns:eu-central-1:000000000000:t',
      'arn:aws:sns:eu-central-1:000000000000:t',
    ],
    [
      'AWS::KMS::Alias',
      { AliasName: 'alias/a' },
      'alias/a',
      'arn:aws:kms:eu-central-1:000000000000:alias/a',
    ],
    ['AWS::IoT::TopicRule', { RuleName: 'r' }, 'r', 'arn:aws:iot:eu-central-1:000000000000:rule/r'],
    [
      'AWS::IoT::Policy',
      { PolicyName: 'p' },
      'p',
      'arn:aws:iot:eu-central-1:000000000000:policy/p',
    ],
    ['AWS::IoT::Thing', { ThingName: 't' }, 't', 'arn:aws:iot:eu-central-1:000000000000:thing/t'],
    [
      'AWS::IoT::ThingGroup',
      { ThingGroupName: 'g' },
      'g',
      'arn:aws:iot:eu-central-1:000000000000:thinggroup/g',
    ],
    [
      'AWS::IoT::Authorizer',
      { AuthorizerName: 'a' },
      'a',
      'arn:aws:iot:eu-central-1:000000000000:authorizer/a',
    ],
    [
      'AWS::IoT::ProvisioningTemplate',
      { TemplateName: 't' },
      't',
      'arn:aws:iot:eu-central-1:000000000000:provisioningtemplate/t',
    ],
    [
      'AWS::Logs::LogGroup',
      { LogGroupName: '/aws/x' },
      '/aws/x',
      'arn:aws:logs:eu-central-1:000000000000:log-group:/aws/x:*',
    ],
    ['AWS::S3::Bucket', { BucketName: 'b' }, 'b', 'arn:aws:s3:::b'],
    ['AWS::Events::Rule', { Name: 'r' }, 'r', 'arn:aws:events:eu-central-1:000000000000:rule/r'],
    [
      'AWS::CloudWatch::Alarm',
      { AlarmName: 'a' },
      'a',
      'arn:aws:cloudwatch:eu-central-1:000000000000:alarm:a',
    ],
    [
      'AWS::KinesisFirehose::DeliveryStream',
      { DeliveryStreamName: 'd' },
      'd',
      'arn:aws:firehose:eu-central-1:000000000000:deliverystream/d',
    ],
  ])('%s %j is %s', (type, properties, physicalId, arn) => {
    expect(of(type, properties)).toMatchObject({ physicalId, arn });
  });

  it.each([
    ['AWS::KMS::Key', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/],
    ['AWS::Lambda::EventSourceMapping', /^[0-9a-f-]{36}$/],
    ['AWS::Lambda::Function', /^tributary-dev-It-[0-9A-Z]{12}$/],
    ['AWS::IoT::TopicRule', /^tributary_dev_It_[0-9A-Z]{12}$/],
    ['AWS::S3::Bucket', /^tributary-dev-it-[0-9a-z]{12}$/],
    ['AWS::IoT::DomainConfiguration', /^tributary-dev-It-/],
  ])('%s without a name gets the same one each time', (type, shape) => {
    expect(of(type)?.physicalId).toMatch(shape);
    expect(of(type)).toEqual(of(type));
  });

  it('comes after those it refers to', () => {
    const { resources } = resolve({
      Resources: {
        First: { Type: 'Custom::A', Properties: { url: { 'Fn::Sub': '${Last}' } } },
        Middle: { Type: 'Custom::A', DependsOn: 'First' },
        Last: queue,
      },
    });
    expect([...resources.keys()]).toEqual(['Last', 'First', 'Middle']);
  });

  it('in a circle is a problem that names the circle', () => {
    const { problems } = resolve({
      Resources: {
        A: { Type: 'Custom::A', Properties: { b: { Ref: 'B' } } },
        B: { Type: 'Custom::A', DependsOn: 'C' },
        C: { Type: 'Custom::A', Properties: { a: { Ref: 'A' } } },
      },
    });
    expect(problems).toEqual(['Resources.C.Properties.a.Ref: circular dependency A → B → C → A']);
  });

  it('may not take the name of another of its type', () => {
    const { problems } = resolve({ Resources: { One: queue, Two: queue } });
    expect(problems).toEqual([
      'Resources.Two: One is already the AWS::SQS::Queue https://sqs.eu-central-1.amazonaws.com/000000000000/dead',
    ]);
  });

  it('that depends on nobody is a problem', () => {
    const { problems } = resolve({
      Resources: { A: { Type: 'Custom::A', DependsOn: ['Nobody'] } },
    });
    expect(problems).toEqual([
      'Resources.A.DependsOn: "Nobody" is neither a resource nor a parameter of the template',
    ]);
  });
});

it('resolves outputs', () => {
  const { outputs, problems } = resolve({
    Resources: { Queue: queue },
    Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Queue', 'Arn'] }, Export: { Name: 'x' } } },
  });
  expect({ outputs, problems }).toEqual({
    outputs: new Map([['Arn', 'arn:aws:sqs:eu-central-1:000000000000:dead']]),
    problems: [],
  });
});

it.each([
  { template: null, says: /^template: / },
  { template: {}, says: /^Resources: / },
  { template: { Resources: { A: {} } }, says: /^Resources\.A\.Type: / },
  {
    template: { Resources: {}, Transform: 'AWS::LanguageExtensions' },
    says: /^template: Transform is not supported$/,
  },
])('refuses $template', ({ template, says }) => {
  expect(resolveTemplate(template, stack).problems).toEqual([expect.stringMatching(says)]);
});
