import * as z from 'zod';
import { found } from '../../../core/registry/index.ts';
import type { ScheduledAudit } from '../../../stores/audit-store.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import { page } from '../page.ts';
import { type AuditDeps, queryPageMembers } from './audit-call.ts';

const output = ({ name, arn, frequency, dayOfWeek, dayOfMonth }: ScheduledAudit) => ({
  scheduledAuditName: name,
  scheduledAuditArn: arn,
  frequency,
  dayOfWeek,
  dayOfMonth,
});

export const describeScheduledAudit = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'DescribeScheduledAudit',
    http: 'GET /audit/scheduledaudits/{scheduledAuditName}',
    input: members({ scheduledAuditName: z.string() }),
    on: () => '*',
    run: ({ scheduledAuditName }) => {
      const audit = found(
        audits.scheduled().find(({ name }) => name === scheduledAuditName),
        'scheduled audit',
        scheduledAuditName,
      );
      return { ...output(audit), targetCheckNames: audit.checks };
    },
  });

export const listScheduledAudits = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'ListScheduledAudits',
    http: 'GET /audit/scheduledaudits',
    input: members(queryPageMembers),
    on: () => '*',
    run: ({ nextToken, maxResults }) => {
      const { items, next } = page(audits.scheduled(), ({ name }) => name, {
        token: nextToken,
        size: maxResults,
      });
      return { scheduledAudits: items.map(output), nextToken: next };
    },
  });
