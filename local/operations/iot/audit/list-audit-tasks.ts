import * as z from 'zod';
import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import { creationKey, page } from '../page.ts';
import { type AuditDeps, QueryTime, queryPageMembers } from './audit-call.ts';

const Input = members({
  ...queryPageMembers,
  startTime: QueryTime,
  endTime: QueryTime,
  taskType: z.enum(['ON_DEMAND_AUDIT_TASK', 'SCHEDULED_AUDIT_TASK']).optional(),
  taskStatus: z.enum(['IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELED']).optional(),
});

/** The newest first. */
export const listAuditTasks = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'ListAuditTasks',
    http: 'GET /audit/tasks',
    input: Input,
    on: () => '*',
    run: ({ startTime, endTime, taskType, taskStatus, nextToken, maxResults }) => {
      const wanted = audits
        .tasks()
        .filter(({ startedMs }) => startedMs >= startTime && startedMs <= endTime)
        .filter((task) => taskType === undefined || task.taskType === taskType)
        .filter((task) => taskStatus === undefined || task.taskStatus === taskStatus);
      const { items, next } = page(
        wanted,
        ({ startedMs, taskId }) => creationKey(startedMs, taskId),
        { token: nextToken, size: maxResults, descending: true },
      );
      return {
        tasks: items.map((task) => ({
          taskId: task.taskId,
          taskStatus: task.taskStatus,
          taskType: task.taskType,
        })),
        nextToken: next,
      };
    },
  });
