import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members, principalResource } from './iot-call.ts';

export const attachPolicy = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'AttachPolicy',
    http: 'PUT /target-policies/{policyName}',
    input: members({ policyName: z.string(), target: z.string() }),
    on: ({ target }) => principalResource(target),
    run: ({ policyName, target }) => {
      registry.attachPolicy(policyName, target);
    },
  });
