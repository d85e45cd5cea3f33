import * as z from 'zod';
import { RegistryError } from '../../../core/registry/index.ts';
import type { AuditConfiguration } from '../../../stores/audit-store.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import { type AuditDeps, byCheck } from './audit-call.ts';

const days = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/)
    .refine((text) => Number(text) >= least && Number(text) <= most, `${least} to ${most} days`)
    .optional();

const Input = members({
  roleArn: z.string().min(20).optional(),
  auditNotificationTargetConfigurations: members({
    SNS: members({
      targetArn: z.string().optional(),
      roleArn: z.string().optional(),
      enabled: z.boolean().default(true),
    }).optional(),
  }).optional(),
  auditCheckConfigurations: byCheck(
    members({
      enabled: z.boolean().default(false),
      configuration: members({
        CERT_AGE_THRESHOLD_IN_DAYS: days(30, 3652),
        CERT_EXPIRATION_THRESHOLD_IN_DAYS: days(30, 3652),
      }).optional(),
    }),
  ).optional(),
});

/** What is left out stays as it is. A check that the laptop cannot run may be enabled: it is refused when it is to run. */
export const updateAccountAuditConfiguration = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'UpdateAccountAuditConfiguration',
    http: 'PATCH /audit/configuration',
    input: Input,
    on: () => '*',
    run: (input) => {
      const before = audits.configuration();
      const next: AuditConfiguration = {
        roleArn: input.roleArn ?? before.roleArn,
        target: input.auditNotificationTargetConfigurations?.SNS ?? before.target,
        checks: new Map([...before.checks, ...(input.auditCheckConfigurations ?? [])]),
      };
      if (next.roleArn === undefined)
        throw new RegistryError(
          'InvalidRequestException',
          'the first configuration needs roleArn, the role that audits look at the account with',
        );
      audits.configure(next);
      return {};
    },
  });
