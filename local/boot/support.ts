import type { ResolvedStack } from '../core/template/index.ts';

/** Resource types the laptop starts something for. */
const STARTED: ReadonlySet<string> = new Set([
  'AWS::CloudTrail::Trail',
  'AWS::DynamoDB::Table',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::IoT::AccountAuditConfiguration',
  'AWS::IoT::Authorizer',
  'AWS::IoT::DomainConfiguration',
  'AWS::IoT::Logging',
  'AWS::IoT::MitigationAction',
  'AWS::IoT::Policy',
  'AWS::IoT::ProvisioningTemplate',
  'AWS::IoT::ScheduledAudit',
  'AWS::IoT::TopicRule',
  'AWS::IoTWireless::Destination',
  'AWS::IoTWireless::DeviceProfile',
  'AWS::IoTWireless::ServiceProfile',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  'AWS::Kinesis::Stream',
  'AWS::KinesisFirehose::DeliveryStream',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::Lambda::Permission',
  'AWS::S3::Bucket',
  'AWS::SNS::Subscription',
  'AWS::SNS::Topic',
  'AWS::SQS::Queue',
]);

/** Resource types that mean nothing here, and why. `docs/differences.md` says the same at length. */
const INERT: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'no metrics are kept, so no alarm is evaluated',
  'AWS::Logs::LogGroup': 'functions, rules and delivery streams log to the terminal',
  'AWS::Logs::LogStream': 'functions, rules and delivery streams log to the terminal',
  'AWS::S3::BucketPolicy':
    'buckets are folders of this machine; only what IoT may read for a rule is looked up in it',
  'AWS::SNS::TopicPolicy':
    'only this stack can publish to its topics; only what EventBridge may publish is looked up in it',
  'AWS::SQS::QueuePolicy':
    'the endpoint is plain HTTP on loopback, which a TLS-only policy would refuse; only what SNS may send is looked up in it',
};

export interface Notice {
  readonly type: string;
  readonly logicalIds: readonly string[];
  readonly why: string;
  /** Whether the laptop lacks something it would need, or leaves out what means nothing here. */
  readonly kind: 'unsupported' | 'inert';
}

/** What of the template will not run, by name, with the reason. */
export function assessSupport(stack: ResolvedStack): Notice[] {
  const notices = new Map<string, { logicalIds: string[]; why: string; kind: Notice['kind'] }>();
  for (const { type, logicalId } of stack.resources.values()) {
    if (STARTED.has(type)) continue;
    const known = notices.get(type);
    if (known !== undefined) {
      known.logicalIds.push(logicalId);
      continue;
    }
    const why = INERT[type];
    notices.set(type, {
      logicalIds: [logicalId],
      why: why ?? 'the laptop does not have this',
      kind: why === undefined ? 'unsupported' : 'inert',
    });
  }
  return [...notices].map(([type, notice]) => ({ type, ...notice }));
}
