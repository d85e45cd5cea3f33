import * as z from 'zod';
import { type CheckName, checkNamed, isCheckName, UNAVAILABLE } from '../core/registry/index.ts';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import { auditOperations } from '../operations/iot/audit/index.ts';
import type { Need, Operation } from '../operations/operation.ts';
import { publishNeeds } from '../operations/sns/access.ts';
import { type Auditor, createAuditor } from '../runtime/audit/auditor.ts';
import { createMitigator } from '../runtime/audit/mitigator.ts';
import { fetchList } from '../runtime/audit/revocations.ts';
import { createScheduler } from '../runtime/schedule.ts';
import type { Publish } from '../runtime/topics/publisher.ts';
import {
  type AuditConfiguration,
  createAuditStore,
  type MitigationAction,
  NO_AUDITS,
  type ScheduledAudit,
} from '../stores/audit-store.ts';
import { createConnectionHistory } from '../stores/connection-history.ts';
import { createLoggingStore, LOG_LEVELS, type LoggingOptions } from '../stores/logging-store.ts';
import type { Registry } from '../stores/registry.ts';
import type { TopicStore } from '../stores/topic-store.ts';
import { arnOf, BootError, ofType, propertiesOf } from './resources.ts';
import type { Roles } from './roles.ts';
import type { World } from './world.ts';

export interface AuditOptions {
  readonly registry: Registry;
  readonly roles: Pick<Roles, 'authorizeRole' | 'isKnown'>;
  readonly topics: TopicStore;
  readonly publish: Publish;
}

/** Device Defender Audit over the laptop's registry. */
export interface Audits {
  readonly operations: readonly Operation[];
  /** Takes lifecycle events: who is connected, and by what. */
  readonly noteConnection: (event: object) => void;
  /** Scheduled audits begin to come. */
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  readonly idle: Auditor['idle'];
}

/**
 * @throws {BootError} naming what of the template's audits is wrong or not supported; checks that the laptop cannot
 *   run are said in the log
 */
export function openAudits(
  stack: ResolvedStack,
  { now, clock, uuid, log, accountId, region }: World,
  { registry, roles, topics, publish }: AuditOptions,
): Audits {
  const declared = {
    configuration: declaredConfiguration(stack),
    scheduled: ofType(stack, 'AWS::IoT::ScheduledAudit').map(scheduledAudit),
    mitigations: ofType(stack, 'AWS::IoT::MitigationAction').map((one) => mitigation(one, now())),
  };
  const store = createAuditStore(declared, { now });
  const logging = createLoggingStore(declaredLogging(stack));
  const history = createConnectionHistory();
  const common = {
    store,
    registry,
    now,
    missing: missingBy(roles),
    publish: (topicArn: string, message: string) => void publish(topicArn, { message }),
    publishNeeds: (topicArn: string) =>
      publishNeeds({ topics, publish, accountId, region }, topicArn),
  };
  const auditor = createAuditor({
    ...common,
    history,
    loggingEnabled: logging.enabled,
    accountId,
    fetchList,
    uuid,
    log,
  });
  for (const name of enabledIn(declared.configuration)) {
    const why = UNAVAILABLE[name];
    if (why === undefined) continue;
    log({ level: 'warn', source: 'audit', message: `${name} does not run on the laptop: ${why}` });
  }
  const schedules = createScheduler(
    store.scheduled().map((audit) => ({
      arn: audit.arn,
      expression: expressionOf(audit),
      enabled: true,
      targets: [{ functionArn: audit.name }],
    })),
    {
      ...clock,
      uuid,
      log,
      invokeAsync: (wanted) => {
        const audit = store.scheduled().find(({ name }) => name === wanted);
        if (audit !== undefined) auditor.startScheduled(audit);
      },
    },
  );
  return {
    operations: auditOperations({
      audits: store,
      auditor,
      mitigator: createMitigator(common),
      logging,
    }),
    noteConnection: history.note,
    start: schedules.start,
    stop: async () => {
      await schedules.stop();
      await auditor.idle();
    },
    idle: auditor.idle,
  };
}

/**
 * Roles are held to the template's policies. One that the template has not is taken for a role with AWS's managed
 * policy for audits, as somebody would make it by hand: there is no IAM API here to make it with.
 */
const missingBy =
  ({ authorizeRole, isKnown }: AuditOptions['roles']) =>
  (roleArn: string, needs: readonly Need[]): string | undefined => {
    if (!isKnown(roleArn)) return undefined;
    const denied = needs
      .map((need) => ({ need, verdict: authorizeRole(roleArn, need) }))
      .find(({ verdict }) => !verdict.allowed);
    if (denied === undefined) return undefined;
    const { need, verdict } = denied;
    return `${roleArn} lacks ${need.action} on ${need.resource}: ${verdict.explanation}`;
  };

const enabledIn = (configuration: AuditConfiguration | undefined): readonly CheckName[] =>
  [...(configuration?.checks ?? [])].filter(([, { enabled }]) => enabled).map(([name]) => name);

const ConfigurationProperties = z.strictObject({
  AccountId: z.string(),
  RoleArn: z.string(),
  AuditNotificationTargetConfigurations: z
    .strictObject({
      Sns: z
        .strictObject({ TargetArn: z.string(), RoleArn: z.string(), Enabled: z.boolean() })
        .optional(),
    })
    .optional(),
  AuditCheckConfigurations: z.record(
    z.string(),
    z.strictObject({
      Enabled: z.boolean().default(false),
      Configuration: z
        .strictObject({
          CertAgeThresholdInDays: z.string().optional(),
          CertExpirationThresholdInDays: z.string().optional(),
        })
        .optional(),
    }),
  ),
});

function declaredConfiguration(stack: ResolvedStack): AuditConfiguration | undefined {
  const [resource] = ofType(stack, 'AWS::IoT::AccountAuditConfiguration');
  if (resource === undefined) return undefined;
  const declared = propertiesOf(resource, ConfigurationProperties);
  const sns = declared.AuditNotificationTargetConfigurations?.Sns;
  const checks = Object.entries(declared.AuditCheckConfigurations).map(
    ([camel, { Enabled: enabled, Configuration: chosen }]): Check => {
      const name = checkNamed(camel);
      if (name === undefined)
        throw new BootError([`${resource.logicalId}: there is no audit check ${camel}`]);
      if (chosen === undefined) return [name, { enabled }];
      const configuration = {
        CERT_AGE_THRESHOLD_IN_DAYS: chosen.CertAgeThresholdInDays,
        CERT_EXPIRATION_THRESHOLD_IN_DAYS: chosen.CertExpirationThresholdInDays,
      };
      return [name, { enabled, configuration }];
    },
  );
  return {
    roleArn: declared.RoleArn,
    target: sns && { targetArn: sns.TargetArn, roleArn: sns.RoleArn, enabled: sns.Enabled },
    checks: new Map([...NO_AUDITS.checks, ...checks]),
  };
}

type Check =
  AuditConfiguration['checks'] extends ReadonlyMap<infer Name, infer Value> ? [Name, Value] : never;

const ScheduledAuditProperties = z.strictObject({
  ScheduledAuditName: z.string().optional(),
  Frequency: z.enum(
    ['DAILY', 'WEEKLY', 'MONTHLY'],
    'the laptop has DAILY, WEEKLY and MONTHLY audits',
  ),
  DayOfWeek: z.enum(['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']).optional(),
  DayOfMonth: z
    .string()
    .regex(/^(?:[1-9]|[12]\d|3[01]|LAST)$/)
    .optional(),
  TargetCheckNames: z.array(z.string().refine(isCheckName, 'no check of Device Defender Audit')),
  Tags: z.unknown().optional(),
});

function scheduledAudit(resource: ResolvedResource): ScheduledAudit {
  const declared = propertiesOf(resource, ScheduledAuditProperties);
  const { Frequency: frequency, DayOfWeek: dayOfWeek, DayOfMonth: dayOfMonth } = declared;
  const lacking = {
    DAILY: undefined,
    WEEKLY: dayOfWeek === undefined ? 'DayOfWeek' : undefined,
    MONTHLY: dayOfMonth === undefined ? 'DayOfMonth' : undefined,
  }[frequency];
  if (lacking !== undefined)
    throw new BootError([`${resource.logicalId}: a ${frequency} audit needs ${lacking}`]);
  return {
    name: resource.name,
    arn: arnOf(resource),
    frequency,
    dayOfWeek,
    dayOfMonth,
    checks: declared.TargetCheckNames,
  };
}

/** AWS tells the day and not the hour. */
const HOUR_UTC = 3;

const expressionOf = ({ frequency, dayOfWeek, dayOfMonth }: ScheduledAudit): string => {
  if (frequency === 'DAILY') return `cron(0 ${HOUR_UTC} * * ? *)`;
  if (frequency === 'WEEKLY') return `cron(0 ${HOUR_UTC} ? * ${dayOfWeek} *)`;
  return `cron(0 ${HOUR_UTC} ${dayOfMonth === 'LAST' ? 'L' : dayOfMonth} * ? *)`;
};

const only = (what: string) => z.undefined(`the laptop has ${what} only`).optional();
const KINDS = 'PublishFindingToSnsParams and UpdateDeviceCertificateParams';

const MitigationProperties = z.strictObject({
  ActionName: z.string().optional(),
  RoleArn: z.string(),
  ActionParams: z.strictObject({
    PublishFindingToSnsParams: z.strictObject({ TopicArn: z.string() }).optional(),
    UpdateDeviceCertificateParams: z.strictObject({ Action: z.literal('DEACTIVATE') }).optional(),
    AddThingsToThingGroupParams: only(KINDS),
    EnableIoTLoggingParams: only(KINDS),
    ReplaceDefaultPolicyVersionParams: only(KINDS),
    UpdateCACertificateParams: only(KINDS),
  }),
  Tags: z.unknown().optional(),
});

function mitigation(resource: ResolvedResource, createdMs: number): MitigationAction {
  const { RoleArn: roleArn, ActionParams } = propertiesOf(resource, MitigationProperties);
  const topicArn = ActionParams.PublishFindingToSnsParams?.TopicArn;
  const deactivate = ActionParams.UpdateDeviceCertificateParams !== undefined;
  if ((topicArn !== undefined) === deactivate)
    throw new BootError([`${resource.logicalId}.ActionParams: wants one of ${KINDS}`]);
  const { name, logicalId: id } = resource;
  return {
    name,
    arn: arnOf(resource),
    id,
    roleArn,
    createdMs,
    params:
      topicArn === undefined
        ? { updateDeviceCertificateParams: { action: 'DEACTIVATE' } }
        : { publishFindingToSnsParams: { topicArn } },
  };
}

const LoggingProperties = z.strictObject({
  AccountId: z.string(),
  DefaultLogLevel: z.enum(LOG_LEVELS),
  RoleArn: z.string(),
});

function declaredLogging(stack: ResolvedStack): LoggingOptions | undefined {
  const [resource] = ofType(stack, 'AWS::IoT::Logging');
  if (resource === undefined) return undefined;
  const { DefaultLogLevel: defaultLogLevel, RoleArn: roleArn } = propertiesOf(
    resource,
    LoggingProperties,
  );
  return { defaultLogLevel, roleArn, disableAllLogs: false };
}
