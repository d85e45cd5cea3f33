import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import type { AuditDeps } from './audit-call.ts';

export const describeAccountAuditConfiguration = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'DescribeAccountAuditConfiguration',
    http: 'GET /audit/configuration',
    input: members({}),
    on: () => '*',
    run: () => {
      const { roleArn, target, checks } = audits.configuration();
      return {
        roleArn,
        auditNotificationTargetConfigurations: target === undefined ? {} : { SNS: target },
        auditCheckConfigurations: Object.fromEntries(checks),
      };
    },
  });
