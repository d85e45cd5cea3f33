import type {
  AuditCheckDetails,
  AuditFinding,
  DescribeAuditTaskResponse,
  ResourceIdentifier,
} from '@aws-sdk/client-iot';

const GRAVEST_FIRST = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];

/** An audit as a person reads it: each check with its result, then what was found, the gravest first. */
export function textOfAudit(
  taskId: string,
  { taskStatus, auditDetails = {} }: DescribeAuditTaskResponse,
  findings: readonly AuditFinding[],
): string {
  const checks = Object.entries(auditDetails).map(
    ([name, details]) => `  ${name.padEnd(62)} ${resultOf(details)}\n`,
  );
  const found = findings
    .toSorted((one, other) => rank(one) - rank(other))
    .map(
      ({ severity, checkName, nonCompliantResource, relatedResources = [], ...finding }) =>
        `\n${severity} ${checkName}\n  ${nameOf(nonCompliantResource?.resourceIdentifier)}\n  ${finding.reasonForNonCompliance}\n${relatedResources
          .map(({ resourceIdentifier }) => `    ${nameOf(resourceIdentifier)}\n`)
          .join('')}`,
    );
  const end = findings.length === 0 ? '\nNothing was found.\n' : '';
  return `Audit ${taskId}: ${taskStatus}\n${checks.join('')}${found.join('')}${end}`;
}

const rank = ({ severity = 'LOW' }: AuditFinding): number => GRAVEST_FIRST.indexOf(severity);

function resultOf({
  checkRunStatus,
  nonCompliantResourcesCount = 0,
  totalResourcesCount = 0,
  errorCode,
  message,
}: AuditCheckDetails): string {
  if (checkRunStatus === 'COMPLETED_COMPLIANT') return `passed, ${totalResourcesCount} looked at`;
  if (checkRunStatus === 'COMPLETED_NON_COMPLIANT')
    return `${nonCompliantResourcesCount} of ${totalResourcesCount} do not comply`;
  return [checkRunStatus, errorCode, message].filter((part) => part !== undefined).join(': ');
}

const nameOf = (resource: ResourceIdentifier = {}): string =>
  Object.entries(resource)
    .map(([kind, value]) => `${kind} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
