import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

export const createPolicy = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'CreatePolicy',
    http: 'POST /policies/{policyName}',
    input: members({ policyName: z.string(), policyDocument: z.string() }),
    on: ({ policyName }) => registry.arn.policy(policyName),
    run: ({ policyName, policyDocument }) => {
      const { defaultVersionId } = registry.createPolicy(policyName, policyDocument);
      return {
        policyName,
        policyArn: registry.arn.policy(policyName),
        policyDocument,
        policyVersionId: defaultVersionId,
      };
    },
  });
