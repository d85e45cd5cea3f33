import type { AuditFinding, CheckName } from '../../core/registry/index.ts';
import type { Need } from '../../operations/operation.ts';
import type { AuditStore, MitigationAction } from '../../stores/audit-store.ts';
import type { Registry } from '../../stores/registry.ts';
import { findingOutput } from './finding-output.ts';

/** What was done about one finding by one action. @see AWS IoT API Reference, AuditMitigationActionExecutionMetadata */
export interface Execution {
  readonly findingId: string;
  readonly checkName: CheckName;
  readonly action: MitigationAction;
  readonly status: 'COMPLETED' | 'FAILED' | 'SKIPPED';
  readonly atMs: number;
  readonly errorCode?: string;
  readonly message?: string;
}

export interface MitigationDeps {
  readonly store: AuditStore;
  readonly registry: Registry;
  readonly missing: (roleArn: string, needs: readonly Need[]) => string | undefined;
  readonly publish: (topicArn: string, message: string) => void;
  readonly publishNeeds: (topicArn: string) => readonly Need[];
  readonly now: () => number;
}

/** Applies one action to one finding, under the action's role. */
export function mitigate(
  finding: AuditFinding,
  action: MitigationAction,
  deps: MitigationDeps,
): Execution {
  const { findingId, checkName } = finding;
  const about = { findingId, checkName, action, atMs: deps.now() };
  try {
    return { ...about, status: perform(finding, action, deps) ? 'COMPLETED' : 'SKIPPED' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const errorCode = error instanceof DeniedError ? 'INSUFFICIENT_PERMISSIONS' : 'FAILED';
    return { ...about, status: 'FAILED', errorCode, message };
  }
}

class DeniedError extends Error {
  override readonly name = 'DeniedError';
}

/** @returns false where the finding is about nothing that the action acts upon */
function perform(finding: AuditFinding, action: MitigationAction, deps: MitigationDeps): boolean {
  const { roleArn, params } = action;
  const demand = (needs: readonly Need[]): void => {
    const problem = deps.missing(roleArn, needs);
    if (problem !== undefined) throw new DeniedError(problem);
  };
  if ('publishFindingToSnsParams' in params) {
    const { topicArn } = params.publishFindingToSnsParams;
    demand(deps.publishNeeds(topicArn));
    deps.publish(topicArn, JSON.stringify(findingOutput(finding)));
    return true;
  }
  const id = finding.nonCompliantResource.resourceIdentifier.deviceCertificateId;
  if (id === undefined) return false;
  demand([{ action: 'iot:UpdateCertificate', resource: deps.registry.arn.certificate(id) }]);
  deps.registry.updateCertificate(id, 'INACTIVE');
  return true;
}
