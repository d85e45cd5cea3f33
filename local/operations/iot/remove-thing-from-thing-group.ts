import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';
import { membershipArns, membershipMembers, membershipOf } from './membership.ts';

export const removeThingFromThingGroup = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'RemoveThingFromThingGroup',
    http: 'PUT /thing-groups/removeThingFromThingGroup',
    input: members(membershipMembers),
    on: (input) => membershipArns(registry, input),
    run: (input) => {
      const { group, thing } = membershipOf(input);
      registry.removeThingFromGroup(group, thing);
      return {};
    },
  });
