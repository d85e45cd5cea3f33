import type { Log } from '../../core/log.ts';
import {
  type AuditedAccount,
  type AuditFinding,
  type AuditTask,
  CHECK_SEVERITIES,
  CHECKS,
  type CheckDetails,
  type CheckName,
  type CheckSettings,
  DEFAULT_SETTINGS,
  summaryOf,
  UNAVAILABLE,
} from '../../core/registry/index.ts';
import type { Need } from '../../operations/operation.ts';
import type { AuditStore, ScheduledAudit } from '../../stores/audit-store.ts';
import { createRevocations, type FetchList } from './revocations.ts';
import { type Sources, snapshotOf } from './snapshot.ts';

export interface AuditorDeps extends Sources {
  readonly store: AuditStore;
  /** Why a role may not; undefined where it may. */
  readonly missing: (roleArn: string, needs: readonly Need[]) => string | undefined;
  readonly publish: (topicArn: string, message: string) => void;
  readonly publishNeeds: (topicArn: string) => readonly Need[];
  readonly fetchList: FetchList;
  readonly uuid: () => string;
  readonly log: Log;
}

/** Runs audits as Device Defender does: each a task, with findings, and a summary to the topic at its end. */
export interface Auditor {
  /** @returns the task's id; the task goes on by itself */
  readonly start: (checks: readonly CheckName[]) => string;
  readonly startScheduled: (audit: ScheduledAudit) => string;
  /** Resolves when no task is under way. */
  readonly idle: () => Promise<void>;
}

/** How far back an audit on demand looks at connections. */
const LOOK_BACK_MS = 31 * 86_400_000;

export function createAuditor(deps: AuditorDeps): Auditor {
  const { store, now, uuid, log } = deps;
  const running = new Set<Promise<void>>();
  const begin = (
    checks: readonly CheckName[],
    kind: Pick<AuditTask, 'taskType' | 'scheduledAuditName'>,
    sinceMs: number,
  ): string => {
    const details = new Map(
      checks.map((name): [CheckName, CheckDetails] => [name, { checkRunStatus: 'IN_PROGRESS' }]),
    );
    const taskId = uuid().replaceAll('-', '');
    const task: AuditTask = {
      taskId,
      ...kind,
      taskStatus: 'IN_PROGRESS',
      startedMs: now(),
      details,
    };
    store.saveTask(task);
    const work = carryOut(task, sinceMs, deps).catch((error: unknown) => {
      store.saveTask({ ...task, taskStatus: 'FAILED' });
      log({ level: 'error', source: 'audit', message: `audit ${taskId} failed: ${String(error)}` });
    });
    running.add(work);
    void work.finally(() => running.delete(work));
    return taskId;
  };
  return {
    start: (checks) => begin(checks, { taskType: 'ON_DEMAND_AUDIT_TASK' }, now() - LOOK_BACK_MS),
    startScheduled: ({ name, checks }) => {
      const before = store
        .tasks()
        .filter(({ scheduledAuditName }) => scheduledAuditName === name)
        .map(({ startedMs }) => startedMs);
      const sinceMs = before.length === 0 ? now() - LOOK_BACK_MS : Math.max(...before);
      const kind = { taskType: 'SCHEDULED_AUDIT_TASK', scheduledAuditName: name } as const;
      return begin(checks, kind, sinceMs);
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

async function carryOut(task: AuditTask, sinceMs: number, deps: AuditorDeps): Promise<void> {
  const { store, accountId, fetchList, log } = deps;
  const revocations = [...task.details.keys()].some((name) => name.includes('REVOKED'))
    ? createRevocations(fetchList, log)
    : async () => undefined;
  const account = await snapshotOf(deps, { revocations, sinceMs });
  const details = new Map<CheckName, CheckDetails>();
  for (const name of task.details.keys()) details.set(name, runCheck(name, task, account, deps));
  const done: AuditTask = { ...task, taskStatus: 'COMPLETED', details };
  store.saveTask(done);
  tell(JSON.stringify(summaryOf(done, accountId)), deps);
}

function runCheck(
  name: CheckName,
  task: AuditTask,
  account: AuditedAccount,
  deps: AuditorDeps,
): CheckDetails {
  const { store, uuid, now } = deps;
  const check = CHECKS[name];
  if (check === undefined)
    return {
      checkRunStatus: 'CANCELED',
      message: `The laptop cannot run it: ${UNAVAILABLE[name] ?? 'it is not known here'}.`,
    };
  const { roleArn = '', checks } = store.configuration();
  if (checks.get(name)?.enabled !== true)
    return { checkRunStatus: 'FAILED', errorCode: 'AUDIT_CHECK_DISABLED' };
  const problem = deps.missing(
    roleArn,
    check.actions.map((action) => ({ action, resource: '*' })),
  );
  if (problem !== undefined)
    return {
      checkRunStatus: 'FAILED',
      errorCode: 'INSUFFICIENT_PERMISSIONS',
      message: problem,
    };
  const { total, breaches } = check.run(account, settingsOf(store));
  store.addFindings(
    breaches.map(
      (breach): AuditFinding => ({
        ...breach,
        findingId: uuid(),
        taskId: task.taskId,
        checkName: name,
        taskStartMs: task.startedMs,
        foundMs: now(),
        severity: CHECK_SEVERITIES[name],
      }),
    ),
  );
  return {
    checkRunStatus: breaches.length === 0 ? 'COMPLETED_COMPLIANT' : 'COMPLETED_NON_COMPLIANT',
    totalResourcesCount: total,
    nonCompliantResourcesCount: breaches.length,
  };
}

function settingsOf(store: AuditStore): CheckSettings {
  const { checks } = store.configuration();
  const days = (name: CheckName, key: string): number | undefined => {
    const value: unknown = Reflect.get(checks.get(name)?.configuration ?? {}, key);
    return value === undefined ? undefined : Number(value);
  };
  return {
    expirationDays:
      days('DEVICE_CERTIFICATE_EXPIRING_CHECK', 'CERT_EXPIRATION_THRESHOLD_IN_DAYS') ??
      DEFAULT_SETTINGS.expirationDays,
    ageDays:
      days('DEVICE_CERTIFICATE_AGE_CHECK', 'CERT_AGE_THRESHOLD_IN_DAYS') ??
      DEFAULT_SETTINGS.ageDays,
  };
}

/** A summary that may not be published is lost, as on AWS: the task says what it found. */
function tell(message: string, { store, missing, publish, publishNeeds, log }: AuditorDeps): void {
  const { target } = store.configuration();
  if (target?.enabled !== true || target.targetArn === undefined) return;
  try {
    const problem = missing(target.roleArn ?? '', publishNeeds(target.targetArn));
    if (problem !== undefined) throw new Error(problem);
    publish(target.targetArn, message);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log({
      level: 'error',
      source: 'audit',
      message: `${target.targetArn} was not told of the audit: ${why}`,
    });
  }
}
