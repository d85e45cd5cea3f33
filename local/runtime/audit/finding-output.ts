import type { AuditFinding } from '../../core/registry/index.ts';

/** AWS gives ten with a finding, and the rest by `ListRelatedResourcesForAuditFinding`. */
const RELATED_WITHIN = 10;
/** Whose certificates are many: none of them come with the finding. */
const RELATED_APART = 'INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK';

/** @see AWS IoT API Reference, AuditFinding, ListRelatedResourcesForAuditFinding */
export function findingOutput(finding: AuditFinding) {
  const { taskStartMs, foundMs, relatedResources = [], checkName, ...rest } = finding;
  return {
    ...rest,
    checkName,
    taskStartTime: taskStartMs / 1000,
    findingTime: foundMs / 1000,
    relatedResources: checkName === RELATED_APART ? [] : relatedResources.slice(0, RELATED_WITHIN),
    isSuppressed: false,
  };
}
