import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';
import { membershipArns, membershipMembers, membershipOf } from './membership.ts';

export const addThingToThingGroup = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'AddThingToThingGroup',
    http: 'PUT /thing-groups/addThingToThingGroup',
    input: members(membershipMembers),
    on: (input) => membershipArns(registry, input),
    run: (input) => {
      const { group, thing } = membershipOf(input);
      registry.addThingToGroup(group, thing);
      return {};
    },
  });
