import { createHash } from 'node:crypto';
import * as z from 'zod';
import { check, fieldOf, parseRecord } from '../check.ts';
import { reject } from '../errors.ts';
import { TimeMs } from '../names.ts';
import { checkNameOf, checkSeverity, SEVERITIES, type Severity } from './check-names.ts';
import { Finding } from './finding.ts';
import { causeOf } from './metrics.ts';

/** What an incident is about. */
export interface Subject {
  readonly kind: 'thing' | 'resource' | 'account';
  readonly name: string;
}

/** Any notification, as far as incidents look at it. */
export interface Notification {
  /** Equal for the same notification, whenever and however often it comes. */
  readonly id: string;
  /** `complied`: an audit looked and found nothing, which ends what audits before it found. */
  readonly type: 'alarm' | 'cleared' | 'invalidated' | 'audit' | 'complied' | 'control-plane';
  readonly subject: Subject;
  readonly cause: string;
  /** What an alarm and its end have in common. */
  readonly alarm: string;
  readonly atMs: number;
  /** One line of evidence. */
  readonly says: string;
  readonly behavior: string | undefined;
  /** Severity where the sender gives one. */
  readonly severity: Severity | undefined;
}

const Count = z.int().nonnegative();

/**
 * The end of an audit. It carries no findings of its own: those come one by one, or are asked for.
 *
 * @see AWS IoT Device Defender Developer Guide, "Audit notifications"
 */
const AuditSummary = z.object({
  accountId: z.string().regex(/^\d{12}$/),
  /** In what people are told it is part of a command. */
  taskId: z.string().regex(/^[A-Za-z0-9-]{1,40}$/),
  taskStatus: z.enum(['IN_PROGRESS', 'FAILED', 'CANCELED', 'COMPLETED']),
  taskType: z.enum(['ON_DEMAND_AUDIT_TASK', 'SCHEDULED_AUDIT_TASK']),
  scheduledAuditName: z.string().optional(),
  failedChecksCount: Count,
  canceledChecksCount: Count,
  nonCompliantChecksCount: Count,
  compliantChecksCount: Count,
  totalChecksCount: Count,
  taskStartTime: TimeMs,
  auditDetails: z
    .array(
      z.object({
        checkName: z.string().min(1).max(128),
        checkRunStatus: z.string(),
        nonCompliantResourcesCount: Count.optional(),
        totalResourcesCount: Count.optional(),
        message: z.string().optional(),
        errorCode: z.string().optional(),
      }),
    )
    .max(64),
});

/** Seconds with a fraction, milliseconds or ISO 8601: the API, SNS and exports each write their own. */
const When = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = typeof value === 'string' ? Date.parse(value) : value < 1e11 ? value * 1000 : value;
  if (Number.isFinite(ms) && ms >= 0) return Math.round(ms);
  context.addIssue('is no time');
  return z.NEVER;
});

/** @see AWS IoT API Reference, AuditFinding */
const AuditFinding = z.object({
  findingId: z.string().min(1).max(128),
  taskId: z.string().min(1).max(128),
  checkName: z.string().min(1).max(128),
  findingTime: When,
  severity: z.enum(SEVERITIES),
  nonCompliantResource: z.object({
    resourceType: z.string(),
    resourceIdentifier: z.record(z.string(), z.unknown()).optional(),
    additionalInfo: z.record(z.string(), z.unknown()).optional(),
  }),
  reasonForNonCompliance: z.string().max(2048).optional(),
  isSuppressed: z.boolean().optional(),
});

/** @see Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail" */
const ControlPlane = z.object({
  id: z.string().min(1).max(128),
  'detail-type': z.literal('AWS API Call via CloudTrail'),
  source: z.enum(['aws.iot', 'aws.cloudtrail']),
  account: z.string().regex(/^\d{12}$/),
  time: z.iso.datetime(),
  detail: z.object({
    eventSource: z.enum(['iot.amazonaws.com', 'cloudtrail.amazonaws.com']),
    eventName: z.string().min(1).max(128),
    errorCode: z.string().optional(),
    userIdentity: z.object({ arn: z.string().optional(), type: z.string().optional() }).optional(),
    requestParameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});

/** Where a notification came from, as the queue and the topic say. */
export interface Provenance {
  readonly accountId: string;
}

/**
 * @param text  what was published to the topic `findings`
 * @returns     one notification, or several for the end of an audit; none for what no one need know
 * @throws {RejectedError} `MALFORMED_RECORD`, `MALFORMED_NOTIFICATION` naming each field at fault, or
 *                         `FOREIGN_NOTIFICATION` when it is of another account
 */
export function parseNotification(
  text: string,
  { accountId }: Provenance,
): readonly Notification[] {
  const record = parseRecord(text);
  if (fieldOf(record, 'violationId') !== undefined) {
    return [ofFinding(check(Finding, record, 'MALFORMED_NOTIFICATION'))];
  }
  if (fieldOf(record, 'findingId') !== undefined) {
    return ofAuditFinding(check(AuditFinding, record, 'MALFORMED_NOTIFICATION'));
  }
  if (fieldOf(record, 'taskId') !== undefined) {
    const summary = check(AuditSummary, record, 'MALFORMED_NOTIFICATION');
    ownAccount(summary.accountId, accountId, 'accountId');
    return ofAudit(summary);
  }
  if (fieldOf(record, 'detail-type') !== undefined) {
    const event = check(ControlPlane, record, 'MALFORMED_NOTIFICATION');
    ownAccount(event.account, accountId, 'account');
    return ofControlPlane(event);
  }
  return reject(
    'MALFORMED_NOTIFICATION',
    '(root)',
    'is no shape that is known: wants violationId, findingId, taskId or detail-type',
  );
}

function ownAccount(account: string, own: string, path: string): void {
  if (account !== own) reject('FOREIGN_NOTIFICATION', path, 'is not this account');
}

const TYPES = {
  'in-alarm': 'alarm',
  'alarm-cleared': 'cleared',
  'alarm-invalidated': 'invalidated',
} as const;

function ofFinding(finding: Finding): Notification {
  const { violationId, violationEventType, behavior, thingName, violationEventTime } = finding;
  return {
    id: idOf(violationId, violationEventType),
    type: TYPES[violationEventType],
    subject: { kind: 'thing', name: thingName },
    cause: causeOf(behavior.metric),
    alarm: violationId,
    atMs: violationEventTime,
    says: sayingOf(finding),
    behavior: behavior.name,
    severity: undefined,
  };
}

function sayingOf({ behavior, metricValue = {}, securityProfileName }: Finding): string {
  const value = metricValue.count ?? metricValue.number ?? JSON.stringify(metricValue);
  const { comparisonOperator, value: bound } = behavior.criteria ?? {};
  const expected =
    typeof comparisonOperator === 'string' && bound !== undefined
      ? `, expected ${IN_WORDS[comparisonOperator] ?? comparisonOperator} ${boundOf(bound)}`
      : '';
  return cut(`${securityProfileName}/${behavior.name}: ${value}${expected}`);
}

/** Device Defender's operators; the sets are said as they are. */
const IN_WORDS: Readonly<Record<string, string>> = {
  'less-than': 'less than',
  'less-than-equals': 'at most',
  'greater-than': 'more than',
  'greater-than-equals': 'at least',
};

const OneNumber = z.union([z.object({ count: z.number() }), z.object({ number: z.number() })]);

/** The one number of a bound, or all of it. */
function boundOf(bound: unknown): string {
  const { data } = OneNumber.safeParse(bound);
  if (data === undefined) return JSON.stringify(bound);
  return String('count' in data ? data.count : data.number);
}

function ofAuditFinding(finding: z.infer<typeof AuditFinding>): readonly Notification[] {
  const { findingId, checkName, findingTime, severity, nonCompliantResource } = finding;
  if (finding.isSuppressed === true) return [];
  const { resourceType, resourceIdentifier = {} } = nonCompliantResource;
  const name = cut(`${resourceType} ${JSON.stringify(resourceIdentifier)}`);
  return [
    {
      id: idOf(findingId),
      type: 'audit',
      subject: { kind: 'resource', name },
      cause: auditCause(checkName),
      alarm: findingId,
      atMs: findingTime,
      says: cut(finding.reasonForNonCompliance ?? checkNameOf(checkName)),
      behavior: undefined,
      severity,
    },
  ];
}

type AuditDetail = z.infer<typeof AuditSummary>['auditDetails'][number];

/** What a check says, with the command that says which resources; none for one that did not run. */
function sayingOfCheck(
  detail: AuditDetail,
  taskId: string,
): Pick<Notification, 'type' | 'says'> | undefined {
  const { totalResourcesCount = 0, nonCompliantResourcesCount = 0, errorCode } = detail;
  switch (detail.checkRunStatus) {
    case 'COMPLETED_NON_COMPLIANT':
      return {
        type: 'audit',
        says: `${nonCompliantResourcesCount} resources do not comply: npm run audit -- show ${taskId}`,
      };
    case 'FAILED':
      return {
        type: 'audit',
        says: cut(`the check could not be run: ${errorCode ?? 'no reason given'}`),
      };
    case 'COMPLETED_COMPLIANT':
      return { type: 'complied', says: `all of ${totalResourcesCount} resources comply` };
    default:
      return undefined;
  }
}

function ofAudit(summary: z.infer<typeof AuditSummary>): readonly Notification[] {
  const { taskId, accountId, taskStartTime, auditDetails } = summary;
  return auditDetails.flatMap((detail): Notification[] => {
    const saying = sayingOfCheck(detail, taskId);
    if (saying === undefined) return [];
    const { checkName } = detail;
    return [
      {
        id: idOf(taskId, checkName),
        ...saying,
        subject: { kind: 'account', name: accountId },
        cause: auditCause(checkName),
        alarm: idOf(taskId, checkName),
        atMs: taskStartTime,
        behavior: undefined,
        severity: saying.type === 'audit' ? checkSeverity(checkNameOf(checkName)) : undefined,
      },
    ];
  });
}

const auditCause = (checkName: string): string =>
  `audit-${checkNameOf(checkName)
    .replace(/_CHECK$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '-')}`;

function ofControlPlane(event: z.infer<typeof ControlPlane>): readonly Notification[] {
  const { eventName, errorCode, userIdentity, requestParameters } = event.detail;
  if (errorCode !== undefined) return [];
  const parameters = requestParameters ?? {};
  const target =
    [
      'policyName',
      'authorizerName',
      'domainConfigurationName',
      'certificateId',
      'name',
      'trailName',
    ]
      .map((name) => fieldOf(parameters, name))
      .find((name) => typeof name === 'string') ?? event.account;
  return [
    {
      id: idOf(event.id),
      type: 'control-plane',
      subject: { kind: 'resource', name: cut(String(target)) },
      cause: `control-${eventName.replaceAll(/[^A-Za-z0-9]/g, '-')}`,
      alarm: event.id,
      atMs: Date.parse(event.time),
      says: cut(`${eventName} by ${userIdentity?.arn ?? userIdentity?.type ?? 'somebody unknown'}`),
      behavior: undefined,
      severity: 'HIGH',
    },
  ];
}

const idOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 11);

const TEXT_LIMIT_CHARS = 400;
const cut = (text: string): string =>
  text.length > TEXT_LIMIT_CHARS ? `${text.slice(0, TEXT_LIMIT_CHARS)}…` : text;
