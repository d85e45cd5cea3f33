import { RegistryError } from '../../../core/registry/index.ts';
import { NO_AUDITS } from '../../../stores/audit-store.ts';
import type { Operation } from '../../operation.ts';
import { flag, iotOperation, members } from '../iot-call.ts';
import type { AuditDeps } from './audit-call.ts';

/** The template's scheduled audits stay, so it is refused while there are any. */
export const deleteAccountAuditConfiguration = ({ audits }: AuditDeps): Operation =>
  iotOperation({
    name: 'DeleteAccountAuditConfiguration',
    http: 'DELETE /audit/configuration',
    input: members({ deleteScheduledAudits: flag.optional() }),
    on: () => '*',
    run: () => {
      if (audits.scheduled().length > 0)
        throw new RegistryError(
          'InvalidRequestException',
          'the laptop cannot delete the scheduled audits of the template; switch deviceDefenderAudit off',
        );
      audits.configure(NO_AUDITS);
      return {};
    },
  });
