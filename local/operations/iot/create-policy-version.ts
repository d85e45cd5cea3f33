import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { flag, type IotDeps, iotOperation, members } from './iot-call.ts';

const Input = members({
  policyName: z.string(),
  policyDocument: z.string(),
  setAsDefault: flag.optional(),
});

export const createPolicyVersion = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'CreatePolicyVersion',
    http: 'POST /policies/{policyName}/version',
    input: Input,
    on: ({ policyName }) => registry.arn.policy(policyName),
    run: ({ policyName, policyDocument, setAsDefault = false }) => {
      const version = registry.createPolicyVersion(policyName, policyDocument, setAsDefault);
      return {
        policyArn: registry.arn.policy(policyName),
        policyDocument,
        policyVersionId: version.versionId,
        isDefaultVersion: setAsDefault,
      };
    },
  });
