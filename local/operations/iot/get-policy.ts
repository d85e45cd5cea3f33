import * as z from 'zod';
import { findVersion, found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members, seconds } from './iot-call.ts';

export const getPolicy = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'GetPolicy',
    http: 'GET /policies/{policyName}',
    input: members({ policyName: z.string() }),
    on: ({ policyName }) => registry.arn.policy(policyName),
    run: ({ policyName }) => {
      const policy = found(registry.policy(policyName), 'policy', policyName);
      return {
        policyName,
        policyArn: registry.arn.policy(policyName),
        policyDocument: findVersion(policy, policy.defaultVersionId).document,
        defaultVersionId: policy.defaultVersionId,
        creationDate: seconds(policy.createdMs),
        lastModifiedDate: seconds(policy.changedMs),
        generationId: policy.generationId,
      };
    },
  });
