import { describe, expect, it } from '@jest/globals';
import { EVERYTHING } from '../support/everything.ts';
import { packageService, type Template } from '../support/template.ts';
import { changed } from '../support/template-change.ts';
import { EXPLAINED_WILDCARDS, RULES } from './rules.ts';
import { statementsOf } from './statements.ts';

const dev = packageService().template;
const prod = packageService({ stage: 'prod', params: EVERYTHING }).template;

const ruleNamed = (name: string) => {
  const rule = RULES.find((one) => one.name === name);
  if (rule === undefined) throw new Error(`no rule "${name}"`);
  return rule;
};

interface Mutation {
  readonly rule: string;
  readonly planted: string;
  /** From the logical id on; the value there is replaced, or removed where `value` is left out. */
  readonly path: string;
  readonly value?: unknown;
}

const allow = (statement: Record<string, unknown>) => ({
  Effect: 'Allow',
  Resource: 'arn:x',
  ...statement,
});
const FIRST_STATEMENT = 'IngestRole.Properties.Policies.0.PolicyDocument.Statement.0';
const MAPPING = 'IngestEventSourceMappingKinesisUplinksStream.Properties';

/** Each plants one mistake in the good template of stage prod, which has all that can be switched on. */
const MUTATIONS: readonly Mutation[] = [
  {
    rule: 'topic rules name the SQL version',
    planted: 'no version',
    path: 'TelemetryRule.Properties.TopicRulePayload.AwsIotSqlVersion',
  },
  {
    rule: 'topic rules name the SQL version',
    planted: 'another version',
    path: 'TelemetryRule.Properties.TopicRulePayload.AwsIotSqlVersion',
    value: '2015-10-08',
  },
  {
    rule: 'topic rules are written in a language that there is',
    planted: 'a line that the packager ran together',
    path: 'TelemetryRule.Properties.TopicRulePayload.Sql',
    value: "SELECT *FROM'dt/#'WHERE",
  },
  {
    rule: 'topic rules are written in a language that there is',
    planted: 'a function that there is not',
    path: 'TelemetryRule.Properties.TopicRulePayload.Sql',
    value: "SELECT now() AS at FROM 'dt/#'",
  },
  {
    rule: 'topic rules are written in a language that there is',
    planted: 'a substitution without end',
    path: 'TelemetryRule.Properties.TopicRulePayload.Actions.0.Kinesis.PartitionKey',
    value: '$'.concat('{topic(3}'),
  },
  ...[
    { planted: 'no error action', path: 'ErrorAction' },
    {
      planted: 'a division of whole numbers',
      path: 'Sql',
      value: "SELECT a / 10 AS b FROM 'dt/#'",
    },
    { planted: 'a stream that is not', path: 'Actions.0.Kinesis.StreamName', value: 'uplink' },
    {
      planted: 'a republished message that comes back',
      path: 'Actions.1',
      value: { Republish: { Topic: 'dt/x', RoleArn: { 'Fn::GetAtt': ['TelemetryRole', 'Arn'] } } },
    },
    {
      planted: 'a queue that the payload names',
      path: 'ErrorAction.Sqs.QueueUrl',
      value: '$'.concat('{queue}'),
    },
  ].map(({ path, ...rest }) => ({
    rule: 'topic rules pass the packager’s checks',
    path: `TelemetryRule.Properties.TopicRulePayload.${path}`,
    ...rest,
  })),
  {
    rule: 'topic rules pass the packager’s checks',
    planted: 'a role that may not write',
    path: 'TelemetryRole.Properties.Policies.0.PolicyDocument.Statement.0.Action',
    value: 'kinesis:PutRecords',
  },
  {
    rule: 'topic rules have an error action',
    planted: 'none',
    path: 'TelemetryRule.Properties.TopicRulePayload.ErrorAction',
  },
  {
    rule: 'topic rules spread what they put on a stream',
    planted: 'a constant key',
    path: 'TelemetryRule.Properties.TopicRulePayload.Actions.0.Kinesis.PartitionKey',
    value: 'telemetry',
  },
  {
    rule: 'roles of services say for whom',
    planted: 'no condition for IoT',
    path: 'TelemetryRole.Properties.AssumeRolePolicyDocument.Statement.0.Condition',
  },
  {
    rule: 'roles of services say for whom',
    planted: 'no account for Firehose',
    path: 'ArchiveRole.Properties.AssumeRolePolicyDocument.Statement.0.Condition.StringEquals',
  },
  {
    rule: 'permissions to invoke say for whom',
    planted: 'a permission for IoT as such',
    path: 'Permission',
    value: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        Principal: 'iot.amazonaws.com',
        FunctionName: 'tributary-prod-ingest',
      },
    },
  },
  {
    rule: 'services that a resource policy lets in say for whom',
    planted: 'alarms of any account',
    path: 'AlarmTopicPolicy.Properties.PolicyDocument.Statement.0.Condition',
  },
  {
    rule: 'nothing is allowed by wildcard',
    planted: 'an action',
    path: FIRST_STATEMENT,
    value: allow({ Action: 'kinesis:*' }),
  },
  {
    rule: 'nothing is allowed by wildcard',
    planted: 'part of an action',
    path: FIRST_STATEMENT,
    value: allow({ Action: ['dynamodb:GetItem', 'dynamodb:Batch*'] }),
  },
  {
    rule: 'nothing is allowed by wildcard',
    planted: 'a resource',
    path: FIRST_STATEMENT,
    value: allow({ Action: 'kinesis:PutRecords', Resource: '*' }),
  },
  {
    rule: 'nothing is allowed by wildcard',
    planted: 'part of a resource',
    path: FIRST_STATEMENT,
    value: allow({ Action: 'sqs:SendMessage', Resource: { 'Fn::Join': ['', ['arn:', 'x-*']] } }),
  },
  {
    rule: 'nothing is allowed by wildcard',
    planted: 'all but one action',
    path: FIRST_STATEMENT,
    value: { Effect: 'Allow', NotAction: 'iam:PassRole', Resource: 'arn:x' },
  },
  {
    rule: 'nothing is allowed by wildcard',
    planted: 'a principal',
    path: 'FailuresQueuePolicy.Properties.PolicyDocument.Statement.0',
    value: allow({ Action: 'sqs:SendMessage', Principal: { AWS: '*' } }),
  },
  {
    rule: 'devices reach their own topics only',
    planted: 'every fleet',
    path: 'DevicePolicy.Properties.PolicyDocument.Statement.1.Resource.0',
    value: 'arn:aws:iot:eu-central-1:000000000000:topic/dt/*',
  },
  {
    rule: 'devices reach their own topics only',
    planted: 'any client id',
    path: 'DevicePolicy.Properties.PolicyDocument.Statement.0.Resource',
    value: 'arn:aws:iot:eu-central-1:000000000000:client/*',
  },
  {
    rule: 'devices reach their own topics only',
    planted: 'any rule by Basic Ingest',
    path: 'DevicePolicy.Properties.PolicyDocument.Statement.1.Resource.2',
    value: 'arn:aws:iot:eu-central-1:000000000000:topic/$aws/rules/*',
  },
  {
    rule: 'devices reach their own topics only',
    planted: 'commands to be published',
    path: 'DevicePolicy.Properties.PolicyDocument.Statement.3.Action',
    value: 'iot:Publish',
  },
  {
    rule: 'devices reach their own topics only',
    planted: 'every template of provisioning, by a claim',
    path: 'ClaimPolicy.Properties.PolicyDocument.Statement.1.Resource.1',
    value: 'arn:aws:iot:eu-central-1:000000000000:topic/$aws/provisioning-templates/*',
  },
  {
    rule: 'devices reach their own topics only',
    planted: 'keys made by AWS, by a claim',
    path: 'ClaimPolicy.Properties.PolicyDocument.Statement.1.Resource.0',
    value: 'arn:aws:iot:eu-central-1:000000000000:topic/$aws/certificates/create/json',
  },
  {
    rule: 'devices reach their own topics only',
    planted: 'every fleet, to a dashboard',
    path: 'DashboardPolicy.Properties.PolicyDocument.Statement.2.Resource.0',
    value: 'arn:aws:iot:eu-central-1:000000000000:topic/dt/*',
  },
  {
    rule: 'devices reach their own topics only',
    planted: 'a dashboard that publishes',
    path: 'DashboardPolicy.Properties.PolicyDocument.Statement.2.Action',
    value: 'iot:Publish',
  },
  {
    rule: 'devices reach their own topics only',
    planted: 'a policy that nobody knows',
    path: 'Another',
    value: {
      Type: 'AWS::IoT::Policy',
      Properties: {
        PolicyDocument: {
          Statement: [allow({ Action: 'iot:Connect', Resource: 'arn:x:client/a' })],
        },
      },
    },
  },
  ...[
    'DevicePolicy.Properties.PolicyDocument.Statement.0.Condition.StringEquals',
    'DeviceHttpsPolicy.Properties.PolicyDocument.Statement.0.Condition',
    'DashboardPolicy.Properties.PolicyDocument.Statement.0.Condition.StringEquals',
  ].map((path) => ({
    rule: 'who connects is pinned, where a domain is',
    planted: `nothing at ${path}`,
    path,
  })),
  {
    rule: 'who connects is pinned, where a domain is',
    planted: 'another domain',
    path: 'X509MqttDomain.Properties.DomainName',
    value: 'mqtt.example.com',
  },
  {
    rule: 'who connects is pinned, where a domain is',
    planted: 'an authorizer that knows one domain less',
    path: 'AuthorizeLambdaFunction.Properties.Environment.Variables.DOMAINS',
    value: 'custom-mqtt.devices.example.com,custom-wss.devices.example.com',
  },
  ...[
    { planted: 'no authentication', path: 'X509MqttDomain.Properties.AuthenticationType' },
    { planted: 'no protocol', path: 'CustomWssDomain.Properties.ApplicationProtocol' },
    {
      planted: 'any protocol',
      path: 'CustomWssDomain.Properties.ApplicationProtocol',
      value: 'DEFAULT',
    },
    {
      planted: 'an older TLS',
      path: 'X509HttpsDomain.Properties.TlsConfig.SecurityPolicy',
      value: 'IoTSecurityPolicy_TLS12_1_0_2016_01',
    },
    { planted: 'whatever TLS there is', path: 'Sigv4WssDomain.Properties.TlsConfig' },
    ...['CustomMqttDomain', 'CustomX509MqttDomain'].map((id) => ({
      planted: `an authorizer of the client’s choice at ${id}`,
      path: `${id}.Properties.AuthorizerConfig.AllowAuthorizerOverride`,
      value: true,
    })),
  ].map((mutation) => ({ rule: 'domains pin what is spoken on them', ...mutation })),
  ...[
    { planted: 'no status', path: 'SignedAuthorizer.Properties.Status' },
    { planted: 'signing off', path: 'SignedAuthorizer.Properties.SigningDisabled', value: true },
    { planted: 'signing left open', path: 'JwtAuthorizer.Properties.SigningDisabled' },
    { planted: 'no key', path: 'SignedAuthorizer.Properties.TokenSigningPublicKeys.current' },
    {
      planted: 'what is no key',
      path: 'SignedAuthorizer.Properties.TokenSigningPublicKeys.current',
      value: 'generated',
    },
    { planted: 'no caching', path: 'PasswordAuthorizer.Properties.EnableCachingForHttp' },
    { planted: 'another token key', path: 'JwtAuthorizer.Properties.TokenKeyName', value: 'jwt' },
  ].map((mutation) => ({ rule: 'authorizers say all that has no default', ...mutation })),
  {
    rule: 'authorizers without signing answer by a function of their own, with a ceiling',
    planted: 'the function of the signed one',
    path: 'JwtAuthorizer.Properties.AuthorizerFunctionArn',
    value: { 'Fn::GetAtt': ['AuthorizeLambdaFunction', 'Arn'] },
  },
  {
    rule: 'authorizers without signing answer by a function of their own, with a ceiling',
    planted: 'no ceiling',
    path: 'AuthorizeUnsignedLambdaFunction.Properties.ReservedConcurrentExecutions',
  },
  {
    rule: 'what AWS IoT waits for ends in its five seconds',
    planted: 'an authorizer that may take a minute',
    path: 'AuthorizeLambdaFunction.Properties.Timeout',
    value: 60,
  },
  {
    rule: 'what AWS IoT waits for ends in its five seconds',
    planted: 'a hook that may take six seconds',
    path: 'ProvisionLambdaFunction.Properties.Timeout',
    value: 6,
  },
  {
    rule: 'provisioning asks its hook, and makes nothing but devices',
    planted: 'no hook',
    path: 'ClaimTemplate.Properties.PreProvisioningHook',
  },
  {
    rule: 'provisioning asks its hook, and makes nothing but devices',
    planted: 'a policy of its own',
    path: 'ClaimTemplate.Properties.TemplateBody',
    value: '{"Resources":{"p":{"Type":"AWS::IoT::Policy","Properties":{"PolicyDocument":"{}"}}}}',
  },
  {
    rule: 'hooks write no certificates',
    planted: 'a hook that activates',
    path: 'ProvisionRole.Properties.Policies.0.PolicyDocument.Statement.0',
    value: allow({ Action: 'iot:UpdateCertificate' }),
  },
  {
    rule: 'queues outlast the functions that read them',
    planted: 'a short visibility',
    path: 'RegistrationsQueue.Properties.VisibilityTimeout',
    value: 60,
  },
  {
    rule: 'queues outlast the functions that read them',
    planted: 'no end of tries',
    path: 'ConnectionsQueue.Properties.RedrivePolicy',
  },
  {
    rule: 'queues outlast the functions that read them',
    planted: 'no partial failures',
    path: 'RegisterEventSourceMappingSQSRegistrationsQueue.Properties.FunctionResponseTypes',
  },
  {
    rule: 'roles of people say which pool, and that they signed in',
    planted: 'any pool',
    path: 'DashboardIdentityRole.Properties.AssumeRolePolicyDocument.Statement.0.Condition.StringEquals',
  },
  {
    rule: 'roles of people say which pool, and that they signed in',
    planted: 'guests',
    path: 'DashboardIdentityRole.Properties.AssumeRolePolicyDocument.Statement.0.Condition.ForAnyValue:StringLike',
    value: { 'cognito-identity.amazonaws.com:amr': 'unauthenticated' },
  },
  {
    rule: 'roles have no managed policy',
    planted: 'one of AWS',
    path: 'IngestRole.Properties.ManagedPolicyArns',
    value: ['arn:aws:iam::aws:policy/service-role/AWSLambdaKinesisExecutionRole'],
  },
  {
    rule: 'roles have no managed policy',
    planted: 'one of our own',
    path: 'Managed',
    value: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: {} } },
  },
  {
    rule: 'every function has a role of its own',
    planted: 'the role of another',
    path: 'RecordLambdaFunction.Properties.Role',
    value: { 'Fn::GetAtt': ['IngestRole', 'Arn'] },
  },
  {
    rule: 'what holds data is encrypted',
    planted: 'a stream in clear',
    path: 'SignalsStream.Properties.StreamEncryption',
  },
  {
    rule: 'what holds data is encrypted',
    planted: 'a table under a key of AWS',
    path: 'DevicesTable.Properties.SSESpecification',
    value: { SSEEnabled: true },
  },
  {
    rule: 'what holds data is encrypted',
    planted: 'a queue under the key of the service',
    path: 'DeadLettersQueue.Properties.KmsMasterKeyId',
    value: 'alias/aws/sqs',
  },
  {
    rule: 'what holds data is encrypted',
    planted: 'a topic in clear',
    path: 'AlarmTopic.Properties.KmsMasterKeyId',
  },
  {
    rule: 'what holds data is encrypted',
    planted: 'a bucket in clear',
    path: 'ArchiveBucket.Properties.BucketEncryption',
  },
  { rule: 'keys rotate', planted: 'no rotation', path: 'DataKey.Properties.EnableKeyRotation' },
  {
    rule: 'queues, topics and buckets are reached by TLS only',
    planted: 'a queue without policy',
    path: 'ErrorActionsQueuePolicy',
  },
  {
    rule: 'queues, topics and buckets are reached by TLS only',
    planted: 'a bucket that denies TLS',
    path: 'ArchiveBucketPolicy.Properties.PolicyDocument.Statement.0.Condition.Bool',
    value: { 'aws:SecureTransport': 'true' },
  },
  {
    rule: 'buckets are closed to the public',
    planted: 'one block missing',
    path: 'ArchiveBucket.Properties.PublicAccessBlockConfiguration.IgnorePublicAcls',
  },
  ...[
    { planted: 'no bisect', path: 'BisectBatchOnFunctionError' },
    { planted: 'no limit of retries', path: 'MaximumRetryAttempts', value: -1 },
    { planted: 'no limit of age', path: 'MaximumRecordAgeInSeconds' },
    { planted: 'an age beyond retention', path: 'MaximumRecordAgeInSeconds', value: 604_800 },
    { planted: 'no partial failures', path: 'FunctionResponseTypes' },
    { planted: 'no destination', path: 'DestinationConfig' },
  ].map(({ path, ...rest }) => ({
    rule: 'event sources of streams give up in the end, on one record, and say so',
    path: `${MAPPING}.${path}`,
    ...rest,
  })),
  {
    rule: 'event sources wait for the role',
    planted: 'nothing to wait for',
    path: 'RecordEventSourceMappingKinesisReadingsStream.DependsOn',
  },
  { rule: 'logs end', planted: 'no retention', path: 'RecordLogGroup.Properties.RetentionInDays' },
  { rule: 'logs end', planted: 'a log group left to Lambda', path: 'IngestLogGroup' },
  {
    rule: 'tables can be set back to any second',
    planted: 'no recovery',
    path: 'ReadingsTable.Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled',
    value: false,
  },
  {
    rule: 'what holds data says what becomes of it',
    planted: 'a table that says nothing',
    path: 'ReadingsTable.DeletionPolicy',
  },
  {
    rule: 'what holds data says what becomes of it',
    planted: 'a key that goes when it is replaced',
    path: 'DataKey.UpdateReplacePolicy',
    value: 'Delete',
  },
  {
    rule: 'queues that nothing empties keep their messages for 14 days',
    planted: 'four days',
    path: 'FailuresQueue.Properties.MessageRetentionPeriod',
  },
  ...[
    'IngestErrorsAlarm',
    'RecordThrottlesAlarm',
    'RecordBehindAlarm',
    'UplinksFullAlarm',
    'ErrorActionsAlarm',
    'ArchiveBehindAlarm',
  ].map((path) => ({
    rule: 'whatever can go wrong has an alarm',
    planted: `no ${path}`,
    path,
  })),
  {
    rule: 'whatever can go wrong has an alarm',
    planted: 'an alarm on another queue',
    path: 'DeadLettersAlarm.Properties.Dimensions.0.Value',
    value: 'tributary-dev-dead-letters',
  },
  {
    rule: 'alarms notify the topic, where there is one',
    planted: 'no action',
    path: 'IngestErrorsAlarm.Properties.AlarmActions',
    value: [],
  },
  {
    rule: 'environments hold literal names of what the template declares',
    planted: 'a reference',
    path: 'RecordLambdaFunction.Properties.Environment.Variables.READINGS_TABLE',
    value: { Ref: 'ReadingsTable' },
  },
  {
    rule: 'environments hold literal names of what the template declares',
    planted: 'a name of nothing',
    path: 'RecordLambdaFunction.Properties.Environment.Variables.READINGS_TABLE',
    value: 'tributary-prod-reading',
  },
  {
    rule: 'names carry the stage, and those of roles the region',
    planted: 'a stream without stage',
    path: 'SignalsStream.Properties.Name',
    value: 'tributary-signals',
  },
  {
    rule: 'names carry the stage, and those of roles the region',
    planted: 'a role without region',
    path: 'IngestRole.Properties.RoleName',
    value: 'tributary-prod-ingest',
  },
  {
    rule: 'functions run on the runtime and processor they are tested for',
    planted: 'an older runtime',
    path: 'IngestLambdaFunction.Properties.Runtime',
    value: 'nodejs20.x',
  },
  {
    rule: 'functions run on the runtime and processor they are tested for',
    planted: 'no processor',
    path: 'RecordLambdaFunction.Properties.Architectures',
  },
  {
    rule: 'functions that are traced may trace',
    planted: 'a role left out',
    path: 'TracingPolicy.Properties.Roles',
    value: [{ Ref: 'RecordRole' }],
  },
];

describe.each(RULES)('$name, as $because', ({ name, problems }) => {
  it.each([
    ['dev', dev],
    ['prod', prod],
  ])('holds for stage %s', (_stage, template: Template) => {
    expect(problems(template)).toEqual([]);
  });

  it.each(MUTATIONS.filter(({ rule }) => rule === name))('finds $planted', ({ path, value }) => {
    expect(problems(changed(prod, path, value))).not.toEqual([]);
  });
});

describe('the table of rules', () => {
  it('has a planted mistake for each', () => {
    const planted = new Set(MUTATIONS.map(({ rule }) => ruleNamed(rule).name));
    expect(RULES.map(({ name }) => name).filter((name) => !planted.has(name))).toEqual([]);
  });

  it.each(EXPLAINED_WILDCARDS)('explains no wildcard in vain: $because', ({ where, resource }) => {
    const used = statementsOf(prod).some(
      (statement) =>
        where.test(statement.where) && statement.resources.some((one) => resource.test(one)),
    );
    expect(used).toBe(true);
  });
});
