import * as z from 'zod';
import { found } from '../../../core/registry/index.ts';
import type { MitigationTarget } from '../../../runtime/audit/mitigator.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members, seconds } from '../iot-call.ts';
import { page } from '../page.ts';
import { type AuditDeps, queryPageMembers } from './audit-call.ts';
import { typeOf } from './mitigation-actions.ts';

export const describeAuditMitigationActionsTask = ({ mitigator }: AuditDeps): Operation =>
  iotOperation({
    name: 'DescribeAuditMitigationActionsTask',
    http: 'GET /audit/mitigationactions/tasks/{taskId}',
    input: members({ taskId: z.string() }),
    on: () => '*',
    run: ({ taskId }) => {
      const task = found(mitigator.task(taskId), 'mitigation actions task', taskId);
      const byCheck = Map.groupBy(task.executions, ({ checkName }) => checkName);
      return {
        taskStatus: 'COMPLETED',
        startTime: seconds(task.startedMs),
        endTime: seconds(task.startedMs),
        taskStatistics: Object.fromEntries(
          [...byCheck].map(([name, executions]) => {
            const count = (wanted: string) =>
              executions.filter(({ status }) => status === wanted).length;
            return [
              name,
              {
                totalFindingsCount: executions.length,
                succeededFindingsCount: count('COMPLETED'),
                failedFindingsCount: count('FAILED'),
                skippedFindingsCount: count('SKIPPED'),
                canceledFindingsCount: 0,
              },
            ];
          }),
        ),
        target: targetOutput(task.target),
        auditCheckToActionsMapping: Object.fromEntries(task.mapping),
        actionsDefinition: [...new Set(task.executions.map(({ action }) => action))].map(
          (action) => ({
            name: action.name,
            id: action.id,
            roleArn: action.roleArn,
            actionParams: action.params,
          }),
        ),
      };
    },
  });

export const listAuditMitigationActionsExecutions = ({ mitigator }: AuditDeps): Operation =>
  iotOperation({
    name: 'ListAuditMitigationActionsExecutions',
    http: 'GET /audit/mitigationactions/executions',
    input: members({
      ...queryPageMembers,
      taskId: z.string(),
      findingId: z.string(),
      actionStatus: z.string().optional(),
    }),
    on: () => '*',
    run: ({ taskId, findingId, actionStatus, nextToken, maxResults }) => {
      const task = found(mitigator.task(taskId), 'mitigation actions task', taskId);
      const wanted = task.executions
        .filter((one) => one.findingId === findingId)
        .filter(({ status }) => actionStatus === undefined || status === actionStatus);
      const { items, next } = page(wanted, ({ action }) => action.name, {
        token: nextToken,
        size: maxResults,
      });
      return {
        actionsExecutions: items.map(({ action, atMs, ...one }) => ({
          taskId,
          findingId,
          actionName: action.name,
          actionId: action.id,
          actionType: typeOf(action),
          status: one.status,
          startTime: seconds(atMs),
          endTime: seconds(atMs),
          errorCode: one.errorCode,
          message: one.message,
        })),
        nextToken: next,
      };
    },
  });

const targetOutput = ({ auditCheckToReasonCodeFilter: filter, ...target }: MitigationTarget) => ({
  ...target,
  ...(filter !== undefined && { auditCheckToReasonCodeFilter: Object.fromEntries(filter) }),
});
