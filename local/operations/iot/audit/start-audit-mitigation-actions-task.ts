import * as z from 'zod';
import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import { type AuditDeps, byCheck } from './audit-call.ts';

const Input = members({
  taskId: z.string().regex(/^[\w-]{1,128}$/),
  target: members({
    auditTaskId: z.string().optional(),
    findingIds: z.array(z.string()).min(1).max(25).optional(),
    auditCheckToReasonCodeFilter: byCheck(z.array(z.string())).optional(),
  }),
  auditCheckToActionsMapping: byCheck(z.array(z.string()).min(1).max(5)),
  clientRequestToken: z.string().min(1).max(64),
});

/** Carried out at once, where AWS takes a while. */
export const startAuditMitigationActionsTask = ({ mitigator }: AuditDeps): Operation =>
  iotOperation({
    name: 'StartAuditMitigationActionsTask',
    http: 'POST /audit/mitigationactions/tasks/{taskId}',
    input: Input,
    on: () => '*',
    run: ({ taskId, target, auditCheckToActionsMapping }) => {
      mitigator.start(taskId, target, auditCheckToActionsMapping);
      return { taskId };
    },
  });
