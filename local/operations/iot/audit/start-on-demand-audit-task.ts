import * as z from 'zod';
import { RegistryError, UNAVAILABLE } from '../../../core/registry/index.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import { type AuditDeps, CheckNameInput } from './audit-call.ts';

/** Refuses checks that the laptop cannot run, and those that are not enabled, by name. */
export const startOnDemandAuditTask = ({ audits, auditor }: AuditDeps): Operation =>
  iotOperation({
    name: 'StartOnDemandAuditTask',
    http: 'POST /audit/tasks',
    input: members({ targetCheckNames: z.array(CheckNameInput).min(1) }),
    on: () => '*',
    run: ({ targetCheckNames }) => {
      const { roleArn, checks } = audits.configuration();
      if (roleArn === undefined)
        throw refusal(
          'no audits are configured: UpdateAccountAuditConfiguration gives them a role',
        );
      for (const name of targetCheckNames) {
        const lacking = UNAVAILABLE[name];
        if (lacking !== undefined)
          throw refusal(`${name}: the laptop cannot run it, as ${lacking}`);
        if (checks.get(name)?.enabled !== true)
          throw refusal(`${name} is not enabled: UpdateAccountAuditConfiguration enables it`);
      }
      return { taskId: auditor.start([...new Set(targetCheckNames)]) };
    },
  });

const refusal = (message: string) => new RegistryError('InvalidRequestException', message);
