import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

export const getRegistrationCode = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'GetRegistrationCode',
    http: 'GET /registrationcode',
    input: members({}),
    on: () => '*',
    run: () => ({ registrationCode: registry.registrationCode }),
  });
