import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { flag, type IotDeps, iotOperation, members } from './iot-call.ts';
import { page } from './page.ts';
import { policyEntry } from './policy-output.ts';
import { markerMembers } from './thing-input.ts';

const Input = members({ ...markerMembers, target: z.string(), recursive: flag.optional() });

/** With `recursive`, a group's list has the policies of the groups above it too. */
export const listAttachedPolicies = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'ListAttachedPolicies',
    http: 'POST /attached-policies/{target}',
    input: Input,
    on: () => '*',
    run: ({ target, recursive = false, marker, pageSize }) => {
      const names = registry.policiesAttachedTo(target, recursive);
      const { items, next } = page(names, (name) => name, { token: marker, size: pageSize });
      return { policies: items.map((name) => policyEntry(registry, name)), nextMarker: next };
    },
  });
