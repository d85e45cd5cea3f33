import * as z from 'zod';
import { RegistryError } from '../../../core/registry/index.ts';
import { LOG_LEVELS } from '../../../stores/logging-store.ts';
import type { Operation } from '../../operation.ts';
import { iotOperation, members } from '../iot-call.ts';
import type { AuditDeps } from './audit-call.ts';

export const getV2LoggingOptions = ({ logging }: AuditDeps): Operation =>
  iotOperation({
    name: 'GetV2LoggingOptions',
    http: 'GET /v2LoggingOptions',
    input: members({}),
    on: () => '*',
    run: () => {
      const options = logging.options();
      if (options === undefined)
        throw new RegistryError('NotConfiguredException', 'logging is not configured');
      return options;
    },
  });

/** Kept for audits to look at; the laptop's log is what it prints. */
export const setV2LoggingOptions = ({ logging }: AuditDeps): Operation =>
  iotOperation({
    name: 'SetV2LoggingOptions',
    http: 'POST /v2LoggingOptions',
    input: members({
      roleArn: z.string().optional(),
      defaultLogLevel: z.enum(LOG_LEVELS).optional(),
      disableAllLogs: z.boolean().optional(),
    }),
    on: () => '*',
    run: (input) => {
      logging.set({ ...logging.options(), ...input });
      return {};
    },
  });
