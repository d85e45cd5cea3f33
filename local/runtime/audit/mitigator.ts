import {
  type AuditFinding,
  type CheckName,
  found,
  RegistryError,
} from '../../core/registry/index.ts';
import { type Execution, type MitigationDeps, mitigate } from './mitigation.ts';

/** Which findings to act upon: those of a task, or some by id. @see AWS IoT API Reference, AuditMitigationActionsTaskTarget */
export interface MitigationTarget {
  readonly auditTaskId?: string | undefined;
  readonly findingIds?: readonly string[] | undefined;
  readonly auditCheckToReasonCodeFilter?: ReadonlyMap<CheckName, readonly string[]> | undefined;
}

export interface MitigationTask {
  readonly startedMs: number;
  readonly target: MitigationTarget;
  readonly mapping: ReadonlyMap<CheckName, readonly string[]>;
  readonly executions: readonly Execution[];
}

/** Does what the template's mitigation actions say about findings; nothing runs by itself. */
export interface Mitigator {
  /** @throws {RegistryError} where task, action or finding is not as it must be, before anything is done */
  readonly start: (
    taskId: string,
    target: MitigationTarget,
    mapping: MitigationTask['mapping'],
  ) => void;
  readonly task: (taskId: string) => MitigationTask | undefined;
}

export function createMitigator(deps: MitigationDeps): Mitigator {
  const { store, now } = deps;
  const tasks = new Map<string, MitigationTask>();
  const actionNamed = (wanted: string) =>
    found(
      store.mitigations().find(({ name }) => name === wanted),
      'mitigation action',
      wanted,
    );
  return {
    start: (taskId, target, mapping) => {
      if (tasks.has(taskId))
        throw new RegistryError(
          'TaskAlreadyExistsException',
          `there is a mitigation task ${taskId} already`,
        );
      const findings = targeted(target, deps);
      const plan = findings.flatMap((finding) =>
        (mapping.get(finding.checkName) ?? []).map((name) => ({
          finding,
          action: actionNamed(name),
        })),
      );
      const executions = plan.map(({ finding, action }) => mitigate(finding, action, deps));
      tasks.set(taskId, { startedMs: now(), target, mapping, executions });
    },
    task: (taskId) => tasks.get(taskId),
  };
}

function targeted(target: MitigationTarget, { store }: MitigationDeps): readonly AuditFinding[] {
  const { auditTaskId, findingIds, auditCheckToReasonCodeFilter: filter } = target;
  if ((auditTaskId === undefined) === (findingIds === undefined))
    throw new RegistryError(
      'InvalidRequestException',
      'a target is the auditTaskId, or the findingIds',
    );
  if (findingIds !== undefined)
    return findingIds.map((id) => found(store.finding(id), 'audit finding', id));
  found(store.task(auditTaskId ?? ''), 'audit task', auditTaskId ?? '');
  return store
    .findings()
    .filter(({ taskId }) => taskId === auditTaskId)
    .filter(
      ({ checkName, reasonForNonComplianceCode }) =>
        filter?.get(checkName)?.includes(reasonForNonComplianceCode) ?? true,
    );
}
