import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

export const setDefaultPolicyVersion = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'SetDefaultPolicyVersion',
    http: 'PATCH /policies/{policyName}/version/{policyVersionId}',
    input: members({ policyName: z.string(), policyVersionId: z.string() }),
    on: ({ policyName }) => registry.arn.policy(policyName),
    run: ({ policyName, policyVersionId }) => {
      registry.setDefaultPolicyVersion(policyName, policyVersionId);
    },
  });
