import { describe, expect, it } from '@jest/globals';
import { checkNameOf } from '../../../../shared/core/security/check-names.ts';
import { parseNotification } from '../../../../shared/core/security/notification.ts';

const own = { accountId: '000000000000' };
const parse = (value: object) => parseNotification(JSON.stringify(value), own);

/** As AWS's workshop prints it. */
const DETECT = {
  violationEventTime: 1_573_786_800_000,
  thingName: 'dev-IZWB',
  behavior: {
    criteria: {
      comparisonOperator: 'less-than',
      value: { count: 10 },
      durationSeconds: 300,
      consecutiveDatapointsToAlarm: 1,
      consecutiveDatapointsToClear: 1,
    },
    name: 'MessagesPub',
    metric: 'aws:num-messages-sent',
  },
  violationEventType: 'in-alarm',
  metricValue: { count: 54 },
  violationId: '37e18651d207bbc74236c13faf146127',
  securityProfileName: 'MySecProfile',
};

const AUDIT = {
  accountId: own.accountId,
  taskId: '787ed873b69cb4d6cdbae6ddd06996c5',
  taskStatus: 'COMPLETED',
  taskType: 'SCHEDULED_AUDIT_TASK',
  scheduledAuditName: 'AWSIoTDeviceDefenderDailyAudit',
  failedChecksCount: 0,
  canceledChecksCount: 0,
  nonCompliantChecksCount: 1,
  compliantChecksCount: 1,
  totalChecksCount: 2,
  taskStartTime: 1_524_740_766_191,
  auditDetails: [
    {
      checkName: 'DEVICE_CERT_APPROACHING_EXPIRATION_CHECK',
      checkRunStatus: 'COMPLETED_NON_COMPLIANT',
      nonCompliantResourcesCount: 3,
      totalResourcesCount: 10,
    },
    { checkName: 'LOGGING_DISABLED_CHECK', checkRunStatus: 'COMPLETED_COMPLIANT' },
  ],
};

const CLOUDTRAIL = {
  version: '0',
  id: '8a6bb3b2-3e7f-4c07-9d3d-8c1a6f3d2b10',
  'detail-type': 'AWS API Call via CloudTrail',
  source: 'aws.iot',
  account: own.accountId,
  time: '2026-09-21T13:46:40Z',
  region: 'eu-central-1',
  resources: [],
  detail: {
    eventSource: 'iot.amazonaws.com',
    eventName: 'SetDefaultPolicyVersion',
    userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::000000000000:assumed-role/x/y' },
    requestParameters: { policyName: 'tributary-dev-device', policyVersionId: '2' },
  },
};

const FINDING = {
  findingId: 'f-1',
  taskId: 't-1',
  checkName: 'DEVICE_CERTIFICATE_SHARED_CHECK',
  taskStartTime: 1_790_000_000.5,
  findingTime: 1_790_000_000.5,
  severity: 'CRITICAL',
  nonCompliantResource: {
    resourceType: 'DEVICE_CERTIFICATE',
    resourceIdentifier: { deviceCertificateId: 'a'.repeat(64) },
  },
  reasonForNonCompliance: 'used by more than one client',
};

describe('a notification', () => {
  it('of Detect names thing and cause, and what was expected', () => {
    expect(parse(DETECT)).toMatchObject([
      {
        type: 'alarm',
        subject: { kind: 'thing', name: 'dev-IZWB' },
        cause: 'flood',
        alarm: DETECT.violationId,
        atMs: DETECT.violationEventTime,
        says: 'MySecProfile/MessagesPub: 54, expected less than 10',
      },
    ]);
  });

  it.each([
    ['alarm-cleared', 'cleared'],
    ['alarm-invalidated', 'invalidated'],
  ])('of Detect that ends an alarm: %s', (violationEventType, type) => {
    const { metricValue: _gone, ...rest } = DETECT;
    expect(parse({ ...rest, violationEventType })).toMatchObject([{ type }]);
  });

  it('of ML Detect has a confidence in place of criteria', () => {
    const ml = {
      ...DETECT,
      behavior: {
        name: 'ml',
        metric: 'aws:num-disconnects',
        criteria: { mlDetectionConfig: { confidenceLevel: 'HIGH' } },
      },
      violationEventAdditionalInfo: { confidenceLevel: 'HIGH' },
    };
    expect(parse(ml)).toMatchObject([{ cause: 'reconnect-storm' }]);
  });

  it('of an audit is one for each check that is not complied with, and one for each that is', () => {
    expect(parse(AUDIT)).toMatchObject([
      {
        type: 'audit',
        subject: { kind: 'account' },
        cause: 'audit-device-certificate-expiring',
        severity: 'MEDIUM',
        says: `3 resources do not comply: npm run audit -- show ${AUDIT.taskId}`,
      },
      { type: 'complied', cause: 'audit-logging-disabled', severity: undefined },
    ]);
  });

  it('of an audit says nothing of checks that did not run', () => {
    const [first] = AUDIT.auditDetails;
    const canceled = { ...first, checkRunStatus: 'CANCELED' };
    expect(parse({ ...AUDIT, auditDetails: [canceled] })).toEqual([]);
  });

  it('of a single finding of an audit is about its resource', () => {
    expect(parse(FINDING)).toMatchObject([
      { cause: 'audit-device-certificate-shared', severity: 'CRITICAL', atMs: 1_790_000_000_500 },
    ]);
    expect(parse({ ...FINDING, isSuppressed: true })).toEqual([]);
  });

  it('of the control plane says who did what', () => {
    expect(parse(CLOUDTRAIL)).toMatchObject([
      {
        subject: { kind: 'resource', name: 'tributary-dev-device' },
        cause: 'control-SetDefaultPolicyVersion',
        says: 'SetDefaultPolicyVersion by arn:aws:sts::000000000000:assumed-role/x/y',
      },
    ]);
    const denied = { ...CLOUDTRAIL.detail, errorCode: 'AccessDenied' };
    expect(parse({ ...CLOUDTRAIL, detail: denied })).toEqual([]);
  });

  it('of the control plane says that its own record ends', () => {
    const detail = {
      ...CLOUDTRAIL.detail,
      eventSource: 'cloudtrail.amazonaws.com',
      eventName: 'StopLogging',
      requestParameters: { name: 'tributary-dev-trail' },
    };
    expect(parse({ ...CLOUDTRAIL, source: 'aws.cloudtrail', detail })).toMatchObject([
      {
        type: 'control-plane',
        subject: { kind: 'resource', name: 'tributary-dev-trail' },
        cause: 'control-StopLogging',
        severity: 'HIGH',
      },
    ]);
  });

  it('has the same id whenever it comes, and extra fields do not matter', () => {
    const [one] = parse(DETECT);
    const [other] = parse({
      ...DETECT,
      verificationState: 'UNKNOWN',
      behavior: { ...DETECT.behavior, exportMetric: {} },
    });
    expect(other?.id).toBe(one?.id);
    expect(parse({ ...DETECT, violationEventType: 'alarm-cleared' })[0]?.id).not.toBe(one?.id);
  });

  it.each([
    ['no shape that is known', { hello: 1 }, 'MALFORMED_NOTIFICATION'],
    ['a thing without a name', { ...DETECT, thingName: '' }, 'MALFORMED_NOTIFICATION'],
    ['another kind of event', { ...DETECT, violationEventType: 'x' }, 'MALFORMED_NOTIFICATION'],
    [
      'an audit of another account',
      { ...AUDIT, accountId: '111111111111' },
      'FOREIGN_NOTIFICATION',
    ],
    [
      'an event of another account',
      { ...CLOUDTRAIL, account: '111111111111' },
      'FOREIGN_NOTIFICATION',
    ],
    ['an event of another service', { ...CLOUDTRAIL, source: 'aws.ec2' }, 'MALFORMED_NOTIFICATION'],
  ])('that is %s is refused', (_what, value, code) => {
    expect(() => parse(value)).toThrow(code);
  });
});

it.each([
  ['REVOKED_DEVICE_CERT_CHECK', 'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK'],
  ['DeviceCertificateSharedCheck', 'DEVICE_CERTIFICATE_SHARED_CHECK'],
  ['IotPolicyOverlyPermissiveCheck', 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK'],
  ['LOGGING_DISABLED_CHECK', 'LOGGING_DISABLED_CHECK'],
])('the check %s is %s', (spelt, name) => {
  expect(checkNameOf(spelt)).toBe(name);
});
