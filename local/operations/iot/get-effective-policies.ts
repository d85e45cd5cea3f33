import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members, principalResource } from './iot-call.ts';
import { policyEntry } from './policy-output.ts';
import { viewOf } from './principal-policies.ts';

const Input = members({ principal: z.string().optional(), thingName: z.string().optional() });

export const getEffectivePolicies = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'GetEffectivePolicies',
    http: 'POST /effective-policies',
    input: Input,
    on: ({ principal = '*' }) => principalResource(principal),
    run: ({ principal, thingName }) => ({
      effectivePolicies: viewOf(registry, principal, thingName).policies.map(({ name }) => ({
        ...policyEntry(registry, name),
        policyDocument: registry.defaultDocument(name),
      })),
    }),
  });
