import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import { waitsForEvents } from './schedules.ts';

/** Resource types the laptop starts something for. */
const STARTED: ReadonlySet<string> = new Set([
  'AWS::DynamoDB::Table',
  'AWS::Events::Rule',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::IoT::AccountAuditConfiguration',
  'AWS::IoT::Authorizer',
  'AWS::IoT::DomainConfiguration',
  'AWS::IoT::Logging',
  'AWS::IoT::MitigationAction',
  'AWS::IoT::Policy',
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
    'only this stack can publish to its topics, and alarms are not evaluated',
  'AWS::SQS::QueuePolicy':
    'the endpoint is plain HTTP on loopback, which a TLS-only policy would refuse; only what SNS may send is looked up in it',
};

/** Of a type that is started otherwise, or by another name than "this". */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  'AWS::Events::Rule': 'the laptop has schedules, and no CloudTrail to tell of calls',
};

const isStarted = (resource: ResolvedResource): boolean =>
  STARTED.has(resource.type) && !(resource.type === EVENTS_RULE && waitsForEvents(resource));

const EVENTS_RULE = 'AWS::Events::Rule';

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
  for (const resource of stack.resources.values()) {
    const { type, logicalId } = resource;
    if (isStarted(resource)) continue;
    const known = notices.get(type);
    if (known !== undefined) {
      known.logicalIds.push(logicalId);
      continue;
    }
    const why = INERT[type];
    notices.set(type, {
      logicalIds: [logicalId],
      why: why ?? UNSUPPORTED[type] ?? 'the laptop does not have this',
      kind: why === undefined ? 'unsupported' : 'inert',
    });
  }
  return [...notices].map(([type, notice]) => ({ type, ...notice }));
}
