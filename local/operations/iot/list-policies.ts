import type { Operation } from '../operation.ts';
import { flag, type IotDeps, iotOperation, members } from './iot-call.ts';
import { creationKey, page } from './page.ts';
import { policyEntry } from './policy-output.ts';
import { markerMembers } from './thing-input.ts';

/** Newest first, unless asked otherwise. */
export const listPolicies = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'ListPolicies',
    http: 'GET /policies',
    input: members({ ...markerMembers, isAscendingOrder: flag.optional() }),
    on: () => '*',
    run: ({ marker, pageSize, isAscendingOrder = false }) => {
      const { items, next } = page(
        registry.listPolicies(),
        ({ createdMs, policyName }) => creationKey(createdMs, policyName),
        { token: marker, size: pageSize, descending: !isAscendingOrder },
      );
      return {
        policies: items.map(({ policyName }) => policyEntry(registry, policyName)),
        nextMarker: next,
      };
    },
  });
