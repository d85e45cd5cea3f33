import type { AuditFinding } from '@aws-sdk/client-iot';
import { expect, it } from '@jest/globals';
import { textOfAudit } from '../../commands/audit-text.ts';

const finding = (
  severity: NonNullable<AuditFinding['severity']>,
  checkName: string,
): AuditFinding => ({
  severity,
  checkName,
  reasonForNonCompliance: 'Something is wrong.',
  nonCompliantResource: { resourceIdentifier: { account: '000000000000' } },
});

it('an audit is told check by check, and what was found the gravest first', () => {
  const shared = {
    ...finding('CRITICAL', 'DEVICE_CERTIFICATE_SHARED_CHECK'),
    nonCompliantResource: { resourceIdentifier: { deviceCertificateId: 'abc' } },
    relatedResources: [{ resourceIdentifier: { clientId: 'probe-1' } }],
  };
  const text = textOfAudit(
    'task-1',
    {
      taskStatus: 'COMPLETED',
      auditDetails: {
        LOGGING_DISABLED_CHECK: {
          checkRunStatus: 'COMPLETED_NON_COMPLIANT',
          nonCompliantResourcesCount: 1,
          totalResourcesCount: 1,
        },
        CA_CERTIFICATE_EXPIRING_CHECK: {
          checkRunStatus: 'COMPLETED_COMPLIANT',
          totalResourcesCount: 2,
        },
        DEVICE_CERTIFICATE_AGE_CHECK: {
          checkRunStatus: 'FAILED',
          errorCode: 'INSUFFICIENT_PERMISSIONS',
          message: 'lacks iot:ListCertificates',
        },
      },
    },
    [finding('LOW', 'LOGGING_DISABLED_CHECK'), shared],
  );
  expect(text.split('\n').map((line) => line.replace(/ {2,}(?=\S)/g, '  '))).toEqual([
    'Audit task-1: COMPLETED',
    '  LOGGING_DISABLED_CHECK  1 of 1 do not comply',
    '  CA_CERTIFICATE_EXPIRING_CHECK  passed, 2 looked at',
    '  DEVICE_CERTIFICATE_AGE_CHECK  FAILED: INSUFFICIENT_PERMISSIONS: lacks iot:ListCertificates',
    '',
    'CRITICAL DEVICE_CERTIFICATE_SHARED_CHECK',
    '  deviceCertificateId abc',
    '  Something is wrong.',
    '  clientId probe-1',
    '',
    'LOW LOGGING_DISABLED_CHECK',
    '  account 000000000000',
    '  Something is wrong.',
    '',
  ]);
});

it('an audit that found nothing says so', () => {
  expect(textOfAudit('task-1', { taskStatus: 'COMPLETED' }, [])).toContain('Nothing was found.');
});
