import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

export const deletePolicy = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'DeletePolicy',
    http: 'DELETE /policies/{policyName}',
    input: members({ policyName: z.string() }),
    on: ({ policyName }) => registry.arn.policy(policyName),
    run: ({ policyName }) => {
      registry.deletePolicy(policyName);
    },
  });
