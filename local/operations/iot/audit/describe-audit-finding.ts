import * as z from 'zod';
import { found } from '../../../core/registry/index.ts';
import { findingOutput } from '../../../runtime/audit/finding-output.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import type { AuditDeps } from './audit-call.ts';

export const describeAuditFinding = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'DescribeAuditFinding',
    http: 'GET /audit/findings/{findingId}',
    input: members({ findingId: z.string() }),
    on: () => '*',
    run: ({ findingId }) => ({
      finding: findingOutput(found(audits.finding(findingId), 'audit finding', findingId)),
    }),
  });
