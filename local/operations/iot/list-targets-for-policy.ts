import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';
import { page } from './page.ts';
import { markerMembers } from './thing-input.ts';

export const listTargetsForPolicy = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'ListTargetsForPolicy',
    http: 'POST /policy-targets/{policyName}',
    input: members({ ...markerMembers, policyName: z.string() }),
    on: ({ policyName }) => registry.arn.policy(policyName),
    run: ({ policyName, marker, pageSize }) => {
      const { items, next } = page(registry.targetsOf(policyName), (target) => target, {
        token: marker,
        size: pageSize,
      });
      return { targets: items, nextMarker: next };
    },
  });
