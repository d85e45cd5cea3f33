import { lintPolicy } from '../../policy/index.ts';
import type { AuditedAccount, AuditedPolicy, CheckResult } from './account.ts';
import type { Breach } from './finding.ts';

type PolicyCheck =
  | 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK'
  | 'IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK';

/**
 * The default version of each policy, by what the linter of this project's own policies says of it: one finding a
 * policy and reason.
 *
 * @see AWS IoT Device Defender Developer Guide, "AWS IoT policies overly permissive", "AWS IoT policy potentially
 *   misconfigured"
 */
export const policiesBy =
  (check: PolicyCheck) =>
  ({ policies }: AuditedAccount): CheckResult => ({
    total: policies.length,
    breaches: policies.flatMap((policy) => breachesOf(policy, check)),
  });

function breachesOf(policy: AuditedPolicy, check: PolicyCheck): Breach[] {
  const found = lintPolicy(policy).filter((one) => one.check === check);
  const byReason = Map.groupBy(found, ({ reason }) => reason ?? check);
  return [...byReason].map(([reasonForNonComplianceCode, ofIt]) => ({
    nonCompliantResource: {
      resourceType: 'IOT_POLICY',
      resourceIdentifier: {
        policyVersionIdentifier: { policyName: policy.name, policyVersionId: policy.versionId },
      },
    },
    reasonForNonCompliance: ofIt
      .map(({ statement, message }) => `Statement ${statement}: ${message}.`)
      .join(' '),
    reasonForNonComplianceCode,
  }));
}
