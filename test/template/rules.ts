import { createPublicKey } from 'node:crypto';
import { compileRule, compileTemplate } from '../../local/core/sql/index.ts';
import { resolveTemplate } from '../../local/core/template/index.ts';
import { checkRules } from '../../local/rule-checks/index.ts';
import { type Resource, resourcesOf, type Template } from '../support/template.ts';
import { list, type Statement, statementsOf, text } from './statements.ts';

/** What this service holds itself to beyond CloudFormation's schema; a problem is `LogicalId: what is wrong`. */
export interface Rule {
  readonly name: string;
  readonly because: string;
  readonly problems: (template: Template) => string[];
}

/** The wildcards there are, each with the reason why nothing narrower will do. */
export const EXPLAINED_WILDCARDS = [
  {
    where: /^\w+Role\.Log$/,
    resource: /:log-group:\/aws\/lambda\/[a-z0-9-]+:\*$/,
    because: 'the Lambda runtime makes up the names of its log streams',
  },
  {
    where: /^ArchiveRole\.WriteObjects$/,
    resource: /^<ArchiveBucket\.Arn>\/\*$/,
    because: 'Firehose makes up the names of its objects',
  },
  {
    where: /^\w*TracingPolicy\.Trace$/,
    resource: /^\*$/,
    because: 'X-Ray knows no resources for these actions',
  },
  {
    where: /^(Data|Payload|Pepper)Key\.\w+$/,
    resource: /^\*$/,
    because: 'in a key policy it is the key itself',
  },
  {
    where: /^LorawanDestinationRole\.FindRules$/,
    resource: /^\*$/,
    because: 'AWS IoT knows no resources for iot:DescribeEndpoint',
  },
  {
    where: /^Device(Https)?Policy\.\d$/,
    resource: /\/(dt|cmd)\/\$\{[^}]+\}\/\$\{[^}]+\}\/\*$/,
    because: 'kinds and commands below the own fleet and thing',
  },
  {
    where: /^(Register|Rotation|Expiry|ClaimTemplate)Role\.\w+$/,
    resource: /:(thing|cert)\/\*$/,
    because: 'things and certificates of devices are made after the template, under any name',
  },
  {
    where:
      /^(Defend|Mitigation)Role\.(LookAtThings|FindCertificates|ContainCertificates|EndSessions|TellDevices|DeactivateCertificates)$/,
    resource: /:(thing|cert|client|topic\/alert)\/\*$/,
    because: 'which device misbehaves is not known to the template',
  },
  {
    where: /^ClaimTemplateRole\.ReadAttachments$/,
    resource: /^\*$/,
    because: 'AWS IoT knows no resources for iot:ListAttachedPolicies',
  },
  {
    where: /^AuditRole\.Look$/,
    resource: /^\*$/,
    because: 'an audit looks at every policy, certificate and role of the account',
  },
  {
    where: /^TrailBucketPolicy\.WriteTrail$/,
    resource: /\/AWSLogs\/<AWS::AccountId>\/\*$/,
    because: 'CloudTrail makes up the names of its objects',
  },
  {
    where: /^DetectRole\.TellDashboards$/,
    resource: /:topic\/an\/\*$/,
    because: 'anomalies are told for devices of any fleet, each below its own',
  },
  {
    where: /^DashboardRole\.MakeThings$/,
    resource: /:thing\/<AWS::Region>:\*$/,
    because: 'identities of Cognito make up their ids, which begin with the region',
  },
  {
    where: /^DashboardRole\.AttachPolicy$/,
    resource: /^\*$/,
    because: 'an identity of Cognito, to which a policy is attached, has no ARN',
  },
  {
    where: /^DashboardIdentityRole\.(Subscribe|Receive)$/,
    resource: /:topic(filter)?\/(dt|alert|an)\/\*$/,
    because: 'the policy of the identity narrows it to one fleet, and both must allow',
  },
  {
    where: /^DashboardPolicy\.\d$/,
    resource: /:topic\/(dt|alert|an)\/\$\{iot:Connection\.Thing\.Attributes\[fleet\]\}\/\*$/,
    because: 'a dashboard watches all devices of its fleet',
  },
  {
    where: /^ClaimPolicy\.0$/,
    resource: /:client\/claim-\*$/,
    because: 'devices that claim an identity have none yet; no device has such a client id',
  },
] as const;

export const RULES: readonly Rule[] = [
  {
    name: 'topic rules name the SQL version',
    because: 'the default is that of 2015, which has other functions and other types',
    problems: each('AWS::IoT::TopicRule', (rule) =>
      at(rule, 'TopicRulePayload.AwsIotSqlVersion') === '2016-03-23' ? [] : ['wants 2016-03-23'],
    ),
  },
  {
    name: 'topic rules are written in a language that there is',
    because: 'CloudFormation takes any text, and the deployment fails in its middle',
    problems: each('AWS::IoT::TopicRule', (rule) => [
      ...complaint(() => compileRule(String(at(rule, 'TopicRulePayload.Sql')))),
      ...substitutionsIn(at(rule, 'TopicRulePayload.Actions')).flatMap((template) =>
        complaint(() => compileTemplate(template)),
      ),
    ]),
  },
  {
    name: 'topic rules pass the packager’s checks',
    because: 'they would lose, redirect or endlessly repeat messages, and AWS takes them',
    problems: (template) => {
      const place = { accountId: '000000000000', region: 'eu-central-1' };
      const stack = resolveTemplate(template, { ...place, partition: 'aws', stackName: 's' });
      return checkRules(stack, place).map(({ where, problem }) => `${where}: ${problem}`);
    },
  },
  {
    name: 'topic rules have an error action',
    because: 'a message that no action could deliver is dropped otherwise',
    problems: each('AWS::IoT::TopicRule', (rule) =>
      at(rule, 'TopicRulePayload.ErrorAction.Sqs.QueueUrl') === undefined
        ? ['has no error action to a queue']
        : [],
    ),
  },
  {
    name: 'topic rules spread what they put on a stream',
    because: 'a partition key that is constant puts every message on one shard',
    problems: each('AWS::IoT::TopicRule', (rule) =>
      list(at(rule, 'TopicRulePayload.Actions'))
        .filter((action) => at(action, 'Kinesis') !== undefined)
        .flatMap((action) =>
          String(at(action, 'Kinesis.PartitionKey')).includes('${')
            ? []
            : ['has a constant partition key'],
        ),
    ),
  },
  {
    name: 'roles of services say for whom',
    because: 'the service would act with them for any account that names them (confused deputy)',
    problems: (template) =>
      statementsOf(template)
        .filter(({ kind, principals }) => kind === 'trust' && !onlyLambda(principals))
        .filter(({ principals }) => principals.join() !== COGNITO)
        // whether it says for whom it asks is written nowhere; if it does, it has to be us
        .map((statement) =>
          statement.principals.join() === 'iotwireless.amazonaws.com'
            ? { ...statement, conditions: withoutIfExists(statement.conditions) }
            : statement,
        )
        .flatMap(({ where, conditions }) => [
          ...(conditions.has('StringEquals aws:SourceAccount')
            ? []
            : [`${where}: no aws:SourceAccount`]),
          ...(conditions.has('ArnLike aws:SourceArn') ? [] : [`${where}: no aws:SourceArn`]),
        ]),
  },
  {
    name: 'roles of people say which pool, and that they signed in',
    because: 'anybody with any pool of identities could take them otherwise',
    problems: (template) =>
      statementsOf(template)
        .filter(({ kind, principals }) => kind === 'trust' && principals.includes(COGNITO))
        .flatMap(({ where, conditions }) => [
          ...(conditions.has(`StringEquals ${COGNITO}:aud`) ? [] : [`${where}: names no pool`]),
          ...(conditions.get(`ForAnyValue:StringLike ${COGNITO}:amr`)?.join() === 'authenticated'
            ? []
            : [`${where}: lets in who did not sign in`]),
        ]),
  },
  {
    name: 'permissions to invoke say for whom',
    because: 'any rule or topic of any account could invoke the function otherwise',
    problems: each('AWS::Lambda::Permission', (permission) => [
      ...(at(permission, 'SourceArn') === undefined ? ['no SourceArn'] : []),
      ...(at(permission, 'SourceAccount') === undefined ? ['no SourceAccount'] : []),
      ...(at(permission, 'Principal') === '*' ? ['for everybody'] : []),
    ]),
  },
  {
    name: 'services that a resource policy lets in say for whom',
    because: 'the service would act for any account otherwise',
    problems: (template) =>
      statementsOf(template)
        .filter(
          ({ kind, effect, principals }) =>
            kind === 'permission' &&
            effect === 'Allow' &&
            principals.some((name) => name.endsWith('.amazonaws.com')),
        )
        .filter(
          ({ conditions }) =>
            !conditions.has('StringEquals aws:SourceAccount') ||
            !conditions.has('ArnLike aws:SourceArn'),
        )
        .map(({ where }) => `${where}: no aws:SourceAccount and aws:SourceArn`),
  },
  {
    name: 'nothing is allowed by wildcard',
    because: 'a grant that names what it is for can be read and reviewed',
    problems: (template) =>
      statementsOf(template)
        .filter(({ effect }) => effect === 'Allow')
        .flatMap(wildcards),
  },
  {
    name: 'devices reach their own topics only',
    because:
      'identity comes from the connection: fleet and thing of a topic are those of the certificate',
    problems: (template) =>
      statementsOf(template)
        .filter(({ effect }) => effect === 'Allow')
        .filter(({ resourceId }) => template.Resources[resourceId]?.Type === 'AWS::IoT::Policy')
        .flatMap(({ where, resourceId, actions, resources }) =>
          resources
            .filter((resource) => !isOwn(resourceId, resource, actions))
            .map((resource) => `${where}: ${resource}`),
        ),
  },
  {
    name: 'who connects is pinned, where a domain is',
    because: 'the domain that takes one authentication only is passed by, by any other name',
    problems: (template) => [
      ...pinProblems(
        template,
        ['X509MqttDomain', 'CustomX509MqttDomain'],
        'DevicePolicy',
        ({ actions }) => actions.includes('iot:Connect'),
      ),
      ...pinProblems(
        template,
        ['X509HttpsDomain', 'CustomX509HttpsDomain'],
        'DeviceHttpsPolicy',
        ({ resources }) => resources.some((resource) => resource.includes('iot:Certificate')),
      ),
      ...pinProblems(template, ['Sigv4WssDomain'], 'DashboardPolicy', ({ actions }) =>
        actions.includes('iot:Connect'),
      ),
      ...['CustomMqttDomain', 'CustomWssDomain', 'CustomHttpsDomain']
        .filter((id) => id in template.Resources)
        .map((id) => String(template.Resources[id]?.Properties?.['DomainName']))
        .flatMap((domain) =>
          functionsOf(template)
            .filter(([, lambda]) => at(lambda, 'Environment.Variables.DOMAINS') !== undefined)
            .filter(
              ([, lambda]) =>
                !String(at(lambda, 'Environment.Variables.DOMAINS')).split(',').includes(domain),
            )
            .map(([id]) => `${id}: DOMAINS leaves out ${domain}`),
        ),
    ],
  },
  {
    name: 'domains pin what is spoken on them',
    because: 'a client would choose the weakest of what is left open',
    problems: each('AWS::IoT::DomainConfiguration', (domain) => [
      ...(['AWS_X509', 'AWS_SIGV4', 'CUSTOM_AUTH', 'CUSTOM_AUTH_X509'].includes(
        String(at(domain, 'AuthenticationType')),
      )
        ? []
        : ['no AuthenticationType']),
      ...(['SECURE_MQTT', 'MQTT_WSS', 'HTTPS'].includes(String(at(domain, 'ApplicationProtocol')))
        ? []
        : ['no ApplicationProtocol']),
      ...(/^IoTSecurityPolicy_TLS13_1_[23]_2022_10$/.test(
        String(at(domain, 'TlsConfig.SecurityPolicy')),
      )
        ? []
        : ['takes TLS below 1.2']),
      ...(String(at(domain, 'AuthenticationType')).startsWith('CUSTOM_AUTH') &&
      at(domain, 'AuthorizerConfig.AllowAuthorizerOverride') !== false
        ? ['lets the client choose the authorizer']
        : []),
    ]),
  },
  {
    name: 'authorizers say all that has no default',
    because: 'an authorizer that is not signed is open to everybody, and one by mistake as well',
    problems: each('AWS::IoT::Authorizer', (authorizer, id) => [
      ...(at(authorizer, 'Status') === 'ACTIVE' ? [] : ['no Status']),
      ...(at(authorizer, 'TokenKeyName') === 'token' ? [] : ['wants TokenKeyName token']),
      ...(at(authorizer, 'EnableCachingForHttp') === true ? [] : ['asks for each HTTPS publish']),
      ...(at(authorizer, 'SigningDisabled') === (id !== 'SignedAuthorizer')
        ? []
        : ['signing is not as its name says']),
      ...(id === 'SignedAuthorizer' && signingKeyProblem(authorizer) ? ['has no signing key'] : []),
    ]),
  },
  {
    name: 'authorizers without signing answer by a function of their own, with a ceiling',
    because: 'a flood of strangers would take the concurrency of everybody else',
    problems: (template) => {
      const answering = (signed: boolean): string[] =>
        resourcesOf(template, 'AWS::IoT::Authorizer')
          .filter(([, { Properties }]) => (Properties?.['SigningDisabled'] !== true) === signed)
          .map(([, { Properties }]) => idOf(Properties?.['AuthorizerFunctionArn']));
      const signed = new Set(answering(true));
      return [...new Set(answering(false))].flatMap((id) => [
        ...(signed.has(id) ? [`${id}: answers signed ones as well`] : []),
        ...(Number(at(template.Resources[id]?.Properties, 'ReservedConcurrentExecutions') ?? 0) > 0
          ? []
          : [`${id}: has no ceiling`]),
      ]);
    },
  },
  {
    name: 'what AWS IoT waits for ends in its five seconds',
    because: 'what takes longer is refused, and goes on costing',
    problems: (template) =>
      [
        ...resourcesOf(template, 'AWS::IoT::Authorizer').map(
          ([, { Properties }]) => Properties?.['AuthorizerFunctionArn'],
        ),
        ...resourcesOf(template, 'AWS::IoT::ProvisioningTemplate').map(([, { Properties }]) =>
          at(Properties, 'PreProvisioningHook.TargetArn'),
        ),
      ]
        .map(idOf)
        .filter((id) => Number(at(template.Resources[id]?.Properties, 'Timeout') ?? 3) > 5)
        .map((id) => `${id}: may take longer`),
  },
  {
    name: 'provisioning asks its hook, and makes nothing but devices',
    because: 'the claim certificate is in many hands, and its template gives out identities',
    problems: each('AWS::IoT::ProvisioningTemplate', (template) => [
      ...(at(template, 'PreProvisioningHook.TargetArn') === undefined ? ['has no hook'] : []),
      ...templateProblems(String(at(template, 'TemplateBody'))),
    ]),
  },
  {
    name: 'hooks write no certificates',
    because: 'they judge what strangers send; AWS IoT acts on their answer',
    problems: (template) =>
      statementsOf(template)
        .filter(({ resourceId }) => resourceId === 'ProvisionRole')
        .flatMap(({ where, actions }) =>
          actions.filter((action) => action.startsWith('iot:')).map((one) => `${where}: ${one}`),
        ),
  },
  {
    name: 'queues outlast the functions that read them',
    because: 'a message would be handed out again while it is still worked on',
    problems: (template) =>
      resourcesOf(template, 'AWS::Lambda::EventSourceMapping').flatMap(([id, { Properties }]) => {
        const queue = template.Resources[idOf(Properties?.['EventSourceArn'])];
        if (queue?.Type !== 'AWS::SQS::Queue') return [];
        const lambda = template.Resources[idOf(Properties?.['FunctionName'])];
        const seconds = Number(at(lambda?.Properties, 'Timeout'));
        return [
          ...(Number(at(queue.Properties, 'VisibilityTimeout')) >= 6 * seconds
            ? []
            : [`${id}: the queue's VisibilityTimeout is below six times the Timeout`]),
          ...(at(queue.Properties, 'RedrivePolicy.maxReceiveCount') === undefined
            ? [`${id}: the queue never gives up`]
            : []),
          ...(list(at(Properties, 'FunctionResponseTypes')).includes('ReportBatchItemFailures')
            ? []
            : [`${id}: takes no partial failures`]),
        ];
      }),
  },
  {
    name: 'roles have no managed policy',
    because: 'it grants more than is needed, and changes without us',
    problems: (template) => [
      ...each('AWS::IAM::Role', (role) =>
        at(role, 'ManagedPolicyArns') === undefined ? [] : ['has managed policies'],
      )(template),
      ...resourcesOf(template, 'AWS::IAM::ManagedPolicy').map(
        ([id]) => `${id}: is a managed policy`,
      ),
    ],
  },
  {
    name: 'every function has a role of its own',
    because: 'what two functions share, each has too much of',
    problems: (template) => {
      const roles = functionsOf(template).map(([id, resource]) => ({
        id,
        role: text(at(resource, 'Role')),
      }));
      return roles
        .filter(({ role }, index) => roles.findIndex((other) => other.role === role) !== index)
        .map(({ id, role }) => `${id}: shares ${role}`);
    },
  },
  {
    name: 'what holds data is encrypted',
    because:
      'under our own key, whoever reads it needs the key as well, and taking the key away ends it',
    problems: (template) => [
      ...each('AWS::Kinesis::Stream', (stream) => ownKey(at(stream, 'StreamEncryption.KeyId')))(
        template,
      ),
      ...each('AWS::DynamoDB::Table', (table) =>
        ownKey(at(table, 'SSESpecification.KMSMasterKeyId')),
      )(template),
      ...each('AWS::SQS::Queue', (queue) => ownKey(at(queue, 'KmsMasterKeyId')))(template),
      ...each('AWS::SNS::Topic', (topic) => ownKey(at(topic, 'KmsMasterKeyId')))(template),
      // the packager's bucket of bundles is made before the key is
      ...each('AWS::S3::Bucket', (bucket, id) =>
        id === 'ServerlessDeploymentBucket'
          ? []
          : ownKey(at(bucket, `${BUCKET_DEFAULT}.KMSMasterKeyID`)),
      )(template),
      ...each('AWS::S3::Bucket', (bucket) =>
        at(bucket, `${BUCKET_DEFAULT}.SSEAlgorithm`) === undefined ? ['is not encrypted'] : [],
      )(template),
    ],
  },
  {
    name: 'keys rotate',
    because: 'what one version of a key can open stays bounded',
    problems: each('AWS::KMS::Key', (key) =>
      at(key, 'EnableKeyRotation') === true ? [] : ['does not rotate'],
    ),
  },
  {
    name: 'queues, topics and buckets are reached by TLS only',
    because: 'their endpoints speak plain HTTP as well',
    problems: (template) =>
      ['AWS::SQS::Queue', 'AWS::SNS::Topic', 'AWS::S3::Bucket']
        .flatMap((type) => resourcesOf(template, type))
        .filter(([id]) => !statementsOf(template).some((statement) => deniesPlain(statement, id)))
        .map(([id]) => `${id}: no policy that denies requests without TLS`),
  },
  {
    name: 'buckets are closed to the public',
    because: 'one mistaken policy or ACL must not open them',
    problems: each('AWS::S3::Bucket', (bucket) =>
      ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets']
        .filter((block) => at(bucket, `PublicAccessBlockConfiguration.${block}`) !== true)
        .map((block) => `no ${block}`),
    ),
  },
  {
    name: 'event sources of streams give up in the end, on one record, and say so',
    because: 'by default one bad record blocks its shard until it expires, and then vanishes',
    problems: (template) =>
      each('AWS::Lambda::EventSourceMapping', (mapping) =>
        streamMappingProblems(mapping, template),
      )(template),
  },
  {
    name: 'event sources wait for the role',
    because: 'making one fails while its role may not yet read the stream',
    problems: (template) =>
      resourcesOf(template, 'AWS::Lambda::EventSourceMapping').flatMap(([id, { DependsOn }]) =>
        list(DependsOn).some(
          (other) => template.Resources[String(other)]?.Type === 'AWS::IAM::Role',
        )
          ? []
          : [`${id}: depends on no role`],
      ),
  },
  {
    name: 'logs end',
    because: 'they are kept for ever otherwise',
    problems: (template) => [
      ...each('AWS::Logs::LogGroup', (group) =>
        at(group, 'RetentionInDays') === undefined ? ['has no retention'] : [],
      )(template),
      ...functionsOf(template)
        .map(([id, resource]) => ({
          id,
          group: `/aws/lambda/${String(at(resource, 'FunctionName'))}`,
        }))
        .filter(
          ({ group }) =>
            !resourcesOf(template, 'AWS::Logs::LogGroup').some(
              ([, { Properties }]) => Properties?.['LogGroupName'] === group,
            ),
        )
        .map(({ id, group }) => `${id}: its log group ${group} is not declared`),
    ],
  },
  {
    name: 'tables can be set back to any second',
    because: 'a bug that writes is undone no other way',
    problems: each('AWS::DynamoDB::Table', (table) =>
      at(table, 'PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled') === true
        ? []
        : ['has no point-in-time recovery'],
    ),
  },
  {
    name: 'what holds data says what becomes of it',
    because: 'a renamed or removed resource takes its data along otherwise, on every stage',
    problems: (template) =>
      ['AWS::DynamoDB::Table', 'AWS::KMS::Key', 'AWS::S3::Bucket']
        .flatMap((type) => resourcesOf(template, type))
        .filter(([id]) => id !== 'ServerlessDeploymentBucket')
        .filter(
          ([, { DeletionPolicy, UpdateReplacePolicy }]) =>
            DeletionPolicy === undefined || DeletionPolicy !== UpdateReplacePolicy,
        )
        .map(([id]) => `${id}: wants a DeletionPolicy, and an UpdateReplacePolicy like it`),
  },
  {
    name: 'queues that nothing empties keep their messages for 14 days',
    because: 'somebody has to have the time to look; four days, the default, are a long weekend',
    problems: (template) =>
      each('AWS::SQS::Queue', (queue, id) =>
        isConsumed(template, id) || at(queue, 'MessageRetentionPeriod') === 1_209_600
          ? []
          : ['keeps messages for less than 14 days'],
      )(template),
  },
  {
    name: 'whatever can go wrong has an alarm',
    because: 'what nobody hears of is lost when its retention ends',
    problems: missingAlarms,
  },
  {
    name: 'alarms notify the topic, where there is one',
    because: 'an alarm without an action is a light in an empty room',
    problems: (template) =>
      'AlarmTopic' in template.Resources
        ? each('AWS::CloudWatch::Alarm', (alarm) =>
            list(at(alarm, 'AlarmActions')).map(text).includes('<AlarmTopic>')
              ? []
              : ['notifies nobody'],
          )(template)
        : [],
  },
  {
    name: 'environments hold literal names of what the template declares',
    because: 'a reference needs a deployed stack and credentials to be resolved',
    problems: (template) => {
      const names = new Set(
        Object.values(template.Resources).flatMap(({ Type, Properties }) =>
          String(Properties?.[NAMED[Type] ?? '']),
        ),
      );
      return functionsOf(template).flatMap(([id, resource]) =>
        Object.entries(at(resource, 'Environment.Variables') ?? {}).flatMap(([variable, value]) => {
          if (typeof value !== 'string') return [`${id}: ${variable} is no literal`];
          return value.startsWith('tributary-') && !names.has(value)
            ? [`${id}: ${variable} names ${value}, which is not declared`]
            : [];
        }),
      );
    },
  },
  {
    name: 'names carry the stage, and those of roles the region',
    because: 'stages share an account, and roles have one namespace for all regions',
    problems: (template) => {
      const stage = String(at(functionsOf(template)[0]?.[1], 'Environment.Variables.STAGE'));
      return Object.entries(template.Resources)
        .map(([id, { Type, Properties }]) => ({ id, Type, name: Properties?.[NAMED[Type] ?? ''] }))
        .filter(({ name }) => name !== undefined)
        .filter(
          ({ name, Type }) =>
            !new RegExp(
              `tributary[-_]${stage}${Type === 'AWS::IAM::Role' ? '-[a-z]{2}(-[a-z]+)+-\\d' : ''}[-_]`,
            ).test(text(name)),
        )
        .map(({ id, name }) => `${id}: ${text(name)}`);
    },
  },
  {
    name: 'functions run on the runtime and processor they are tested for',
    because: 'a forgotten one runs on the default',
    problems: each('AWS::Lambda::Function', (lambda) => [
      ...(at(lambda, 'Runtime') === 'nodejs24.x' ? [] : ['wants nodejs24.x']),
      ...(list(at(lambda, 'Architectures')).join() === 'arm64' ? [] : ['wants arm64']),
    ]),
  },
  {
    name: 'functions that are traced may trace',
    because: 'the traces are dropped without a word otherwise',
    problems: (template) => {
      const granted = resourcesOf(template, 'AWS::IAM::Policy')
        .filter(([id]) =>
          statementsOf(template).some(
            ({ resourceId, actions }) =>
              resourceId === id && actions.includes('xray:PutTraceSegments'),
          ),
        )
        .flatMap(([, { Properties }]) => list(Properties?.['Roles']).map(text));
      return each('AWS::Lambda::Function', (lambda) => {
        const role = text(at(lambda, 'Role')).replace('.Arn', '');
        return at(lambda, 'TracingConfig.Mode') === 'Active' && !granted.includes(role)
          ? [`${role} may not put traces`]
          : [];
      })(template);
    },
  },
];

const COGNITO = 'cognito-identity.amazonaws.com';

const BUCKET_DEFAULT =
  'BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault';

/** The property that holds the name, of the types whose resources we name. */
const NAMED: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::Cognito::IdentityPool': 'IdentityPoolName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Events::Rule': 'Name',
  'AWS::IAM::Role': 'RoleName',
  'AWS::IoT::Authorizer': 'AuthorizerName',
  'AWS::IoT::DomainConfiguration': 'DomainConfigurationName',
  'AWS::IoT::Policy': 'PolicyName',
  'AWS::IoT::ProvisioningTemplate': 'TemplateName',
  'AWS::IoT::TopicRule': 'RuleName',
  'AWS::KMS::Alias': 'AliasName',
  'AWS::Kinesis::Stream': 'Name',
  'AWS::KinesisFirehose::DeliveryStream': 'DeliveryStreamName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::SQS::Queue': 'QueueName',
};

/** What the properties of each resource of a type are found to lack. */
function each(type: string, problemsOf: (properties: unknown, id: string) => string[]) {
  return (template: Template): string[] =>
    resourcesOf(template, type).flatMap(([id, { Properties }]) =>
      problemsOf(Properties, id).map((problem) => `${id}: ${problem}`),
    );
}

/** The value at a dotted path, undefined where there is none; a number is a place in a list. */
function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (node, key) =>
        typeof node === 'object' && node !== null
          ? (node as Record<string, unknown>)[key]
          : undefined,
      value,
    );
}

const functionsOf = (template: Template): [string, unknown][] =>
  resourcesOf(template, 'AWS::Lambda::Function').map(([id, { Properties }]) => [id, Properties]);

function complaint(compile: () => unknown): string[] {
  try {
    compile();
    return [];
  } catch (error) {
    return [String(error)];
  }
}

const substitutionsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return value.includes('${') ? [value] : [];
  if (typeof value !== 'object' || value === null || 'Fn::Sub' in value) return [];
  return Object.values(value).flatMap(substitutionsIn);
};

const onlyLambda = (principals: readonly string[]): boolean =>
  principals.every((name) => name === 'lambda.amazonaws.com');

const ownKey = (key: unknown): string[] =>
  /^<DataKey(\.Arn)?>$/.test(text(key)) ? [] : ['is not encrypted under DataKey'];

function wildcards({ where, principals, actions, resources, inversions }: Statement): string[] {
  const explained = (resource: string): boolean =>
    EXPLAINED_WILDCARDS.some((one) => one.where.test(where) && one.resource.test(resource));
  return [
    ...inversions.map((key) => `${where}: ${key}`),
    ...principals.filter((name) => name.includes('*')).map((name) => `${where}: principal ${name}`),
    ...actions
      .filter((action) => action.includes('*'))
      .map((action) => `${where}: action ${action}`),
    ...resources
      .filter((resource) => /[*?]/.test(resource) && !explained(resource))
      .map((resource) => `${where}: resource ${resource}`),
  ];
}

const withoutIfExists = (conditions: Statement['conditions']): Statement['conditions'] =>
  new Map([...conditions].map(([name, values]) => [name.replace('IfExists ', ' '), values]));

const OWN: Readonly<Record<string, readonly RegExp[]>> = {
  DevicePolicy: [
    /:client\/\$\{iot:Connection\.Thing\.ThingName\}$/,
    ...[
      '\\$\\{iot:Connection\\.Thing\\.Attributes\\[fleet\\]\\}/\\$\\{iot:Connection\\.Thing\\.ThingName\\}',
      '\\$\\{iot:Certificate\\.Subject\\.Organization\\}/\\$\\{iot:Certificate\\.Subject\\.CommonName\\}',
    ].map(
      (self) =>
        new RegExp(
          `:(topic|topicfilter)/(\\$aws/rules/tributary_[a-z0-9]+_telemetry/)?(((dt|cmd)/${self}/\\*)|((report|alert)/${self}))$`,
        ),
    ),
  ],
  // to ask for a certificate, and to hear of it
  ClaimPolicy: [
    /:client\/claim-\*$/,
    /:topic(filter)?\/\$aws\/certificates\/create-from-csr\/json(\/accepted|\/rejected)?$/,
    /:topic(filter)?\/\$aws\/provisioning-templates\/tributary-[a-z0-9]+-claim\/provision\/json(\/accepted|\/rejected)?$/,
  ],
  // one fleet, read only
  DashboardPolicy: [
    /:client\/\$\{iot:Connection\.Thing\.ThingName\}$/,
    /:topicfilter\/dt\/\$\{iot:Connection\.Thing\.Attributes\[fleet\]\}\/\+\/(telemetry|status)$/,
    /:topicfilter\/(alert|an)\/\$\{iot:Connection\.Thing\.Attributes\[fleet\]\}\/\+$/,
    /:topic\/(dt|alert|an)\/\$\{iot:Connection\.Thing\.Attributes\[fleet\]\}\/\*$/,
  ],
};

/** Thing variables hold for who is attached; nothing a device publishes or hears may leave its own names. */
function isOwn(id: string, resource: string, actions: readonly string[]): boolean {
  if (actions.includes('iot:Publish') && /:topic\/(cmd|alert|an)\//.test(resource)) return false;
  if (actions.includes('iot:Publish') && id === 'DashboardPolicy') return false;
  return (
    OWN[id.replace('DeviceHttps', 'Device')]?.some((pattern) => pattern.test(resource)) ?? false
  );
}

function pinProblems(
  template: Template,
  domainIds: readonly string[],
  policyId: string,
  isPinned: (statement: Statement) => boolean,
): string[] {
  const domains = domainIds
    .flatMap((id) => template.Resources[id]?.Properties?.['DomainName'] ?? [])
    .map(String)
    .toSorted();
  if (domains.length === 0) return [];
  const pinnedTo = ({ conditions }: Statement): readonly string[] =>
    conditions.get('StringEquals iot:DomainName')?.toSorted() ?? [];
  return statementsOf(template)
    .filter((statement) => statement.resourceId === policyId && isPinned(statement))
    .filter((statement) => pinnedTo(statement).join() !== domains.join())
    .map(({ where }) => `${where}: is not pinned to ${domains.join(' or ')}`);
}

function signingKeyProblem(authorizer: unknown): boolean {
  const keys = Object.values(Object(at(authorizer, 'TokenSigningPublicKeys')));
  return (
    keys.length === 0 ||
    keys.some((key) => complaint(() => createPublicKey(String(key))).length > 0)
  );
}

interface ProvisioningBody {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties: object }>
  >;
}

function templateProblems(body: string): string[] {
  if (body.length > 10_240) return ['is longer than 10,240 characters'];
  const { Resources } = JSON.parse(body) as ProvisioningBody;
  const policies = Object.values(Resources).filter(({ Type }) => Type === 'AWS::IoT::Policy');
  return policies
    .filter(
      ({ Properties }) =>
        !/^tributary-[a-z0-9]+-device(-https)?$/.test(String(at(Properties, 'PolicyName'))),
    )
    .map(() => 'attaches another policy than that of devices');
}

function deniesPlain(
  { effect, principals, resources, conditions }: Statement,
  id: string,
): boolean {
  return (
    effect === 'Deny' &&
    principals.includes('*') &&
    conditions.get('Bool aws:SecureTransport')?.[0] === 'false' &&
    resources.some((resource) => resource.includes(`<${id}>`) || resource.includes(`<${id}.Arn>`))
  );
}

function streamMappingProblems(mapping: unknown, template: Template): string[] {
  const source = template.Resources[idOf(at(mapping, 'EventSourceArn'))];
  if (source?.Type !== 'AWS::Kinesis::Stream') return [];
  const ageSeconds = Number(at(mapping, 'MaximumRecordAgeInSeconds') ?? -1);
  const retries = Number(at(mapping, 'MaximumRetryAttempts') ?? -1);
  const retentionSeconds = Number(source.Properties?.['RetentionPeriodHours'] ?? 24) * 3600;
  return [
    ...(at(mapping, 'BisectBatchOnFunctionError') === true ? [] : ['does not bisect']),
    ...(retries >= 0 ? [] : ['retries without limit']),
    ...(ageSeconds >= 0 ? [] : ['has no limit of age']),
    ...(ageSeconds < retentionSeconds ? [] : ['gives up when the stream has already forgotten']),
    ...(list(at(mapping, 'FunctionResponseTypes')).includes('ReportBatchItemFailures')
      ? []
      : ['takes no partial failures']),
    ...(at(mapping, 'DestinationConfig.OnFailure.Destination') === undefined
      ? ['has no destination for failures']
      : []),
  ];
}

const idOf = (reference: unknown): string => text(reference).replace(/^<(\w+).*>$/, '$1');

const isConsumed = (template: Template, queueId: string): boolean =>
  resourcesOf(template, 'AWS::Lambda::EventSourceMapping').some(
    ([, { Properties }]) => idOf(Properties?.['EventSourceArn']) === queueId,
  );

interface Watch {
  readonly type: string;
  readonly nameAt: string;
  readonly dimension: string;
  readonly metrics: readonly string[];
}

const WATCHED: readonly Watch[] = [
  {
    type: 'AWS::Lambda::Function',
    nameAt: 'FunctionName',
    dimension: 'FunctionName',
    metrics: ['Errors', 'Throttles', 'IteratorAge'],
  },
  {
    type: 'AWS::Kinesis::Stream',
    nameAt: 'Name',
    dimension: 'StreamName',
    metrics: ['WriteProvisionedThroughputExceeded'],
  },
  {
    type: 'AWS::SQS::Queue',
    nameAt: 'QueueName',
    dimension: 'QueueName',
    metrics: ['ApproximateNumberOfMessagesVisible'],
  },
  {
    type: 'AWS::KinesisFirehose::DeliveryStream',
    nameAt: 'DeliveryStreamName',
    dimension: 'DeliveryStreamName',
    metrics: ['DeliveryToS3.DataFreshness'],
  },
];

function missingAlarms(template: Template): string[] {
  const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) =>
    watchedBy(Properties),
  );
  return WATCHED.flatMap(({ type, nameAt, dimension, metrics }) =>
    resourcesOf(template, type).flatMap(([id, { Properties }]) =>
      metrics
        .filter((metric) => metric !== 'IteratorAge' || readsStream(template, id))
        .filter(
          (metric) => !alarms.includes(`${metric} ${dimension}=${String(Properties?.[nameAt])}`),
        )
        .map((metric) => `${id}: no alarm on ${metric}`),
    ),
  );
}

const watchedBy = (alarm: Resource['Properties']): string =>
  `${String(at(alarm, 'MetricName'))} ${String(at(alarm, 'Dimensions.0.Name'))}=${String(at(alarm, 'Dimensions.0.Value'))}`;

const readsStream = (template: Template, functionId: string): boolean =>
  resourcesOf(template, 'AWS::Lambda::EventSourceMapping').some(
    ([, { Properties }]) =>
      idOf(Properties?.['FunctionName']) === functionId &&
      template.Resources[idOf(Properties?.['EventSourceArn'])]?.Type === 'AWS::Kinesis::Stream',
  );
