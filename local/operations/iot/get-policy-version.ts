import * as z from 'zod';
import { findVersion, found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members, seconds } from './iot-call.ts';

export const getPolicyVersion = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'GetPolicyVersion',
    http: 'GET /policies/{policyName}/version/{policyVersionId}',
    input: members({ policyName: z.string(), policyVersionId: z.string() }),
    on: ({ policyName }) => registry.arn.policy(policyName),
    run: ({ policyName, policyVersionId }) => {
      const policy = found(registry.policy(policyName), 'policy', policyName);
      const version = findVersion(policy, policyVersionId);
      return {
        policyArn: registry.arn.policy(policyName),
        policyName,
        policyDocument: version.document,
        policyVersionId,
        isDefaultVersion: policyVersionId === policy.defaultVersionId,
        creationDate: seconds(version.createdMs),
        lastModifiedDate: seconds(version.createdMs),
        generationId: policy.generationId,
      };
    },
  });
