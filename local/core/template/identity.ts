import { createHash } from 'node:crypto';

/** The account, region and stack that names and ARNs are made for. */
export interface StackOptions {
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
  readonly stackName: string;
  readonly parameters?: Readonly<Record<string, string | number>>;
}

/** What CloudFormation knows of a resource once it exists. */
export interface Identity {
  /** The resource's own name: a function's, a queue's, a topic's. */
  readonly name: string;
  /** What `Ref` returns. */
  readonly physicalId: string;
  readonly arn?: string;
  /** What `Fn::GetAtt` returns. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly logicalId: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly stack: StackOptions;
}

interface Kind {
  /** The property that names the resource; without it, or without a value there, a name is made. */
  readonly named?: string;
  readonly generated?: (asked: Asked) => string;
  readonly identify: (name: string, asked: Asked) => Omit<Identity, 'name'>;
}

const digest = ({ stack, logicalId }: Asked): string =>
  createHash('sha256')
    .update(JSON.stringify([stack.accountId, stack.region, stack.stackName, logicalId]))
    .digest('hex');

/** The same UUID for the same resource of the same stack, so that keys and mappings survive a restart. */
const uuidOf = (asked: Asked): string => {
  const hex = digest(asked);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
  return [...parts, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
};

const letters = (asked: Asked, length: number): string =>
  BigInt(`0x${digest(asked)}`)
    .toString(36)
    .toUpperCase()
    .slice(0, length);

/** `<stack>-<logical id>-<12 characters>`, the shape CloudFormation gives to what the template leaves unnamed. */
const generatedName =
  (limit: number, delimiter = '-') =>
  (asked: Asked): string => {
    const stem = `${asked.stack.stackName}-${asked.logicalId}`.slice(0, limit - 13);
    return `${stem}-${letters(asked, 12)}`.replaceAll('-', delimiter);
  };

const arnIn = (service: string, resource: string, { stack }: Asked): string =>
  `arn:${stack.partition}:${service}:${stack.region}:${stack.accountId}:${resource}`;

const plain = (asked: Asked) => generatedName(255)(asked);

/** A resource whose `Ref` is its name and whose ARN is `prefix` + name. */
const simple = (
  named: string,
  service: string,
  prefix: string,
  { limit = 128, attribute = 'Arn', delimiter = '-', more = noMore } = {},
): Kind => ({
  named,
  generated: generatedName(limit, delimiter),
  identify: (name, asked) => {
    const arn = arnIn(service, `${prefix}${name}`, asked);
    return { physicalId: name, arn, attributes: { [attribute]: arn, ...more(asked) } };
  },
});

const noMore = (_asked: Asked): Record<string, unknown> => ({});
const withId = { more: (asked: Asked) => ({ Id: uuidOf(asked) }) };

/** A resource that is only a link between others: it has an id, and nothing to ask it for. */
const link: Kind = { identify: (name) => ({ physicalId: name, attributes: {} }) };

const property = ({ properties }: Asked, key: string): string => {
  const value = properties[key];
  return typeof value === 'string' ? value : '';
};

const functionArn = (nameOrArn: string, asked: Asked): string =>
  nameOrArn.startsWith('arn:') ? nameOrArn : arnIn('lambda', `function:${nameOrArn}`, asked);

const version: Kind = {
  identify: (_name, asked) => {
    const arn = `${functionArn(property(asked, 'FunctionName'), asked)}:1`;
    return { physicalId: arn, arn, attributes: { Version: '1', FunctionArn: arn } };
  },
};

const eventSourceMapping: Kind = {
  generated: uuidOf,
  identify: (id, asked) => {
    const arn = arnIn('lambda', `event-source-mapping:${id}`, asked);
    return { physicalId: id, arn, attributes: { Id: id, EventSourceMappingArn: arn } };
  },
};

const eventInvokeConfig: Kind = {
  identify: (_name, asked) => ({
    physicalId: `${property(asked, 'FunctionName')}|${property(asked, 'Qualifier')}`,
    attributes: {},
  }),
};

const role: Kind = {
  named: 'RoleName',
  generated: generatedName(64),
  identify: (name, asked) => {
    const { partition, accountId } = asked.stack;
    const path = property(asked, 'Path') || '/';
    const arn = `arn:${partition}:iam::${accountId}:role${path}${name}`;
    const RoleId = `AROA${letters(asked, 17)}`;
    return { physicalId: name, arn, attributes: { Arn: arn, RoleId } };
  },
};

const managedPolicy: Kind = {
  named: 'ManagedPolicyName',
  generated: plain,
  identify: (name, asked) => {
    const { partition, accountId } = asked.stack;
    const arn = `arn:${partition}:iam::${accountId}:policy${property(asked, 'Path') || '/'}${name}`;
    return { physicalId: arn, arn, attributes: { PolicyArn: arn } };
  },
};

const table: Kind = {
  named: 'TableName',
  generated: generatedName(255),
  identify: (name, asked) => {
    const arn = arnIn('dynamodb', `table/${name}`, asked);
    const streams = asked.properties['StreamSpecification'] !== undefined;
    const stream = streams ? { StreamArn: `${arn}/stream/1970-01-01T00:00:00.000` } : {};
    return { physicalId: name, arn, attributes: { Arn: arn, ...stream } };
  },
};

const queue: Kind = {
  named: 'QueueName',
  generated: generatedName(80),
  identify: (name, asked) => {
    const { region, accountId } = asked.stack;
    const url = `https://sqs.${region}.amazonaws.com/${accountId}/${name}`;
    const arn = arnIn('sqs', name, asked);
    return { physicalId: url, arn, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
  },
};

const topic: Kind = {
  named: 'TopicName',
  generated: generatedName(255),
  identify: (name, asked) => {
    const arn = arnIn('sns', name, asked);
    return { physicalId: arn, arn, attributes: { TopicArn: arn, TopicName: name } };
  },
};

const subscription: Kind = {
  identify: (_name, asked) => {
    const arn = `${property(asked, 'TopicArn')}:${uuidOf(asked)}`;
    return { physicalId: arn, arn, attributes: { Arn: arn } };
  },
};

const key: Kind = {
  generated: uuidOf,
  identify: (id, asked) => {
    const arn = arnIn('kms', `key/${id}`, asked);
    return { physicalId: id, arn, attributes: { Arn: arn, KeyId: id } };
  },
};

const keyAlias: Kind = {
  named: 'AliasName',
  identify: (name, asked) => ({
    physicalId: name,
    arn: arnIn('kms', name, asked),
    attributes: {},
  }),
};

const domainConfiguration: Kind = {
  named: 'DomainConfigurationName',
  generated: generatedName(128),
  identify: (name, asked) => {
    const suffix = letters(asked, 5).toLowerCase();
    const arn = arnIn('iot', `domainconfiguration/${name}/${suffix}`, asked);
    const DomainType = property(asked, 'DomainName') === '' ? 'AWS_MANAGED' : 'CUSTOMER_MANAGED';
    return { physicalId: name, arn, attributes: { Arn: arn, DomainType } };
  },
};

const logGroup: Kind = {
  named: 'LogGroupName',
  generated: generatedName(512),
  identify: (name, asked) => {
    const arn = arnIn('logs', `log-group:${name}:*`, asked);
    return { physicalId: name, arn, attributes: { Arn: arn } };
  },
};

const bucket: Kind = {
  named: 'BucketName',
  generated: (asked) => generatedName(63)(asked).toLowerCase(),
  identify: (name, { stack }) => {
    const arn = `arn:${stack.partition}:s3:::${name}`;
    const attributes = {
      Arn: arn,
      DomainName: `${name}.s3.amazonaws.com`,
      RegionalDomainName: `${name}.s3.${stack.region}.amazonaws.com`,
    };
    return { physicalId: name, arn, attributes };
  },
};

const bucketPolicy: Kind = {
  identify: (_name, asked) => ({ physicalId: property(asked, 'Bucket'), attributes: {} }),
};

const eventRule: Kind = {
  named: 'Name',
  generated: generatedName(64),
  identify: (name, asked) => {
    const bus = property(asked, 'EventBusName');
    const onDefault = bus === '' || bus === 'default';
    const arn = arnIn('events', `rule/${onDefault ? '' : `${bus}/`}${name}`, asked);
    return { physicalId: onDefault ? name : `${bus}|${name}`, arn, attributes: { Arn: arn } };
  },
};

const perAccount: Kind = {
  identify: (_name, { stack }) => ({ physicalId: stack.accountId, attributes: {} }),
};

const wirelessProfile = (type: 'DeviceProfile' | 'ServiceProfile'): Kind => ({
  generated: uuidOf,
  identify: (id, asked) => {
    const arn = arnIn('iotwireless', `${type}/${id}`, asked);
    return { physicalId: id, arn, attributes: { Arn: arn, Id: id } };
  },
});

const KINDS: Readonly<Record<string, Kind>> = {
  'AWS::CloudWatch::Alarm': simple('AlarmName', 'cloudwatch', 'alarm:', { limit: 255 }),
  'AWS::DynamoDB::Table': table,
  'AWS::Events::Rule': eventRule,
  'AWS::IAM::ManagedPolicy': managedPolicy,
  'AWS::IAM::Policy': { ...link, named: 'PolicyName' },
  'AWS::IAM::Role': role,
  'AWS::IoT::AccountAuditConfiguration': perAccount,
  'AWS::IoT::Authorizer': simple('AuthorizerName', 'iot', 'authorizer/'),
  'AWS::IoT::DomainConfiguration': domainConfiguration,
  'AWS::IoT::Logging': perAccount,
  'AWS::IoT::MitigationAction': simple('ActionName', 'iot', 'mitigationaction/'),
  'AWS::IoT::Policy': simple('PolicyName', 'iot', 'policy/', withId),
  'AWS::IoT::ProvisioningTemplate': simple('TemplateName', 'iot', 'provisioningtemplate/', {
    limit: 36,
    attribute: 'TemplateArn',
  }),
  'AWS::IoT::RoleAlias': simple('RoleAlias', 'iot', 'rolealias/', { attribute: 'RoleAliasArn' }),
  'AWS::IoT::ScheduledAudit': simple('ScheduledAuditName', 'iot', 'scheduledaudit/'),
  'AWS::IoT::SecurityProfile': simple('SecurityProfileName', 'iot', 'securityprofile/', {
    attribute: 'SecurityProfileArn',
  }),
  'AWS::IoT::Thing': simple('ThingName', 'iot', 'thing/', withId),
  'AWS::IoT::ThingGroup': simple('ThingGroupName', 'iot', 'thinggroup/', withId),
  'AWS::IoT::ThingType': simple('ThingTypeName', 'iot', 'thingtype/', withId),
  'AWS::IoT::TopicRule': simple('RuleName', 'iot', 'rule/', { delimiter: '_' }),
  'AWS::IoTWireless::Destination': simple('Name', 'iotwireless', 'Destination/'),
  'AWS::IoTWireless::DeviceProfile': wirelessProfile('DeviceProfile'),
  'AWS::IoTWireless::ServiceProfile': wirelessProfile('ServiceProfile'),
  'AWS::KMS::Alias': keyAlias,
  'AWS::KMS::Key': key,
  'AWS::Kinesis::Stream': simple('Name', 'kinesis', 'stream/'),
  'AWS::KinesisFirehose::DeliveryStream': simple(
    'DeliveryStreamName',
    'firehose',
    'deliverystream/',
    {
      limit: 64,
    },
  ),
  'AWS::Lambda::EventInvokeConfig': eventInvokeConfig,
  'AWS::Lambda::EventSourceMapping': eventSourceMapping,
  'AWS::Lambda::Function': simple('FunctionName', 'lambda', 'function:', { limit: 64 }),
  'AWS::Lambda::Permission': link,
  'AWS::Lambda::Version': version,
  'AWS::Logs::LogGroup': logGroup,
  'AWS::S3::Bucket': bucket,
  'AWS::S3::BucketPolicy': bucketPolicy,
  'AWS::SNS::Subscription': subscription,
  'AWS::SNS::Topic': topic,
  'AWS::SNS::TopicPolicy': link,
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': link,
};

/** Resources of the types listed may be two of one name, as they only tie others together. */
export const hasName = (type: string): boolean => KINDS[type]?.named !== undefined;

/**
 * Physical id, ARN and attributes that AWS would give the resource. A type that is not in the table
 * gets a generated id and no attributes: it can be referred to, not asked.
 */
export function identify(type: string, asked: Asked): Identity {
  const { named, generated = plain, identify: make } = KINDS[type] ?? link;
  const given = named === undefined ? undefined : asked.properties[named];
  const name = typeof given === 'string' && given !== '' ? given : generated(asked);
  return { name, ...make(name, asked) };
}
