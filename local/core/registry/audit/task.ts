import type { CheckName } from './finding.ts';

export type CheckStatus =
  | 'IN_PROGRESS'
  | 'CANCELED'
  | 'COMPLETED_COMPLIANT'
  | 'COMPLETED_NON_COMPLIANT'
  | 'FAILED';

/** How one check of a task went. @see AWS IoT API Reference, AuditCheckDetails */
export interface CheckDetails {
  readonly checkRunStatus: CheckStatus;
  readonly totalResourcesCount?: number;
  readonly nonCompliantResourcesCount?: number;
  readonly errorCode?: 'INSUFFICIENT_PERMISSIONS' | 'AUDIT_CHECK_DISABLED';
  readonly message?: string;
}

export interface AuditTask {
  readonly taskId: string;
  readonly taskType: 'ON_DEMAND_AUDIT_TASK' | 'SCHEDULED_AUDIT_TASK';
  readonly scheduledAuditName?: string | undefined;
  readonly taskStatus: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  readonly startedMs: number;
  readonly details: ReadonlyMap<CheckName, CheckDetails>;
}

/** @see AWS IoT API Reference, TaskStatistics */
export function statisticsOf({ details }: AuditTask) {
  const statuses = [...details.values()].map(({ checkRunStatus }) => checkRunStatus);
  const count = (wanted: CheckStatus): number => statuses.filter((one) => one === wanted).length;
  return {
    totalChecks: statuses.length,
    inProgressChecks: count('IN_PROGRESS'),
    waitingForDataCollectionChecks: 0,
    compliantChecks: count('COMPLETED_COMPLIANT'),
    nonCompliantChecks: count('COMPLETED_NON_COMPLIANT'),
    failedChecks: count('FAILED'),
    canceledChecks: count('CANCELED'),
  };
}

/**
 * What SNS is told at the end of a task. It holds no findings: those are asked for.
 *
 * @see AWS IoT Device Defender Developer Guide, "Audit notifications"
 */
export function summaryOf(task: AuditTask, accountId: string) {
  const { taskId, taskStatus, taskType, scheduledAuditName, startedMs, details } = task;
  const statistics = statisticsOf(task);
  return {
    accountId,
    taskId,
    taskStatus,
    taskType,
    ...(scheduledAuditName !== undefined && { scheduledAuditName }),
    failedChecksCount: statistics.failedChecks,
    canceledChecksCount: statistics.canceledChecks,
    nonCompliantChecksCount: statistics.nonCompliantChecks,
    compliantChecksCount: statistics.compliantChecks,
    totalChecksCount: statistics.totalChecks,
    taskStartTime: startedMs,
    auditDetails: [...details].map(([checkName, detail]) => ({ checkName, ...detail })),
  };
}
