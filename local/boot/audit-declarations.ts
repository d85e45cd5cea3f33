import * as z from 'zod';
import { checkNamed, isCheckName } from '../core/registry/index.ts';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import {
  type AuditConfiguration,
  type AuditDeclarations,
  type MitigationAction,
  NO_AUDITS,
  type ScheduledAudit,
} from '../stores/audit-store.ts';
import { LOG_LEVELS, type LoggingOptions } from '../stores/logging-store.ts';
import { arnOf, BootError, ofType, propertiesOf } from './resources.ts';

/** The template's audits. @throws {BootError} naming what is wrong or not supported */
export const declaredAudits = (stack: ResolvedStack, nowMs: number): AuditDeclarations => ({
  configuration: configuration(stack),
  scheduled: ofType(stack, 'AWS::IoT::ScheduledAudit').map(scheduledAudit),
  mitigations: ofType(stack, 'AWS::IoT::MitigationAction').map((one) => mitigation(one, nowMs)),
});

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

function configuration(stack: ResolvedStack): AuditConfiguration | undefined {
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

/** Logging options of the template, if it has any. @throws {BootError} naming what is wrong with them */
export function declaredLogging(stack: ResolvedStack): LoggingOptions | undefined {
  const [resource] = ofType(stack, 'AWS::IoT::Logging');
  if (resource === undefined) return undefined;
  const { DefaultLogLevel: defaultLogLevel, RoleArn: roleArn } = propertiesOf(
    resource,
    LoggingProperties,
  );
  return { defaultLogLevel, roleArn, disableAllLogs: false };
}
