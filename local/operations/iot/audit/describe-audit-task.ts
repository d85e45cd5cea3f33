import * as z from 'zod';
import { type CheckDetails, found, statisticsOf } from '../../../core/registry/index.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members, seconds } from '../iot-call.ts';
import type { AuditDeps } from './audit-call.ts';

export const describeAuditTask = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'DescribeAuditTask',
    http: 'GET /audit/tasks/{taskId}',
    input: members({ taskId: z.string() }),
    on: () => '*',
    run: ({ taskId }) => {
      const task = found(audits.task(taskId), 'audit task', taskId);
      const { taskStatus, taskType, scheduledAuditName, startedMs, details } = task;
      return {
        taskStatus,
        taskType,
        taskStartTime: seconds(startedMs),
        taskStatistics: statisticsOf(task),
        scheduledAuditName,
        auditDetails: Object.fromEntries(
          [...details].map(([name, detail]) => [name, detailOutput(detail)]),
        ),
      };
    },
  });

const detailOutput = (detail: CheckDetails) => ({
  ...detail,
  ...(detail.checkRunStatus.startsWith('COMPLETED') && {
    checkCompliant: detail.checkRunStatus === 'COMPLETED_COMPLIANT',
    suppressedNonCompliantResourcesCount: 0,
  }),
});
