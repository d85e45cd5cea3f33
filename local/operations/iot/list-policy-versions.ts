import * as z from 'zod';
import { found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members, seconds } from './iot-call.ts';

/** Newest first. */
export const listPolicyVersions = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'ListPolicyVersions',
    http: 'GET /policies/{policyName}/version',
    input: members({ policyName: z.string() }),
    on: ({ policyName }) => registry.arn.policy(policyName),
    run: ({ policyName }) => {
      const policy = found(registry.policy(policyName), 'policy', policyName);
      const policyVersions = policy.versions.toReversed().map(({ versionId, createdMs }) => ({
        versionId,
        isDefaultVersion: versionId === policy.defaultVersionId,
        createDate: seconds(createdMs),
      }));
      return { policyVersions };
    },
  });
