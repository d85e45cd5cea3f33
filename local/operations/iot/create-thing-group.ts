import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';
import { AttributePayload } from './thing-input.ts';

const Input = members({
  thingGroupName: z.string(),
  parentGroupName: z.string().optional(),
  thingGroupProperties: members({
    thingGroupDescription: z.string().optional(),
    attributePayload: AttributePayload.optional(),
  }).optional(),
});

export const createThingGroup = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'CreateThingGroup',
    http: 'POST /thing-groups/{thingGroupName}',
    input: Input,
    on: ({ thingGroupName, parentGroupName }) =>
      [thingGroupName, ...(parentGroupName === undefined ? [] : [parentGroupName])].map(
        registry.arn.thingGroup,
      ),
    run: ({ thingGroupName, parentGroupName, thingGroupProperties }) => {
      const { thingGroupId } = registry.createThingGroup({
        thingGroupName,
        parentGroupName,
        description: thingGroupProperties?.thingGroupDescription,
        attributes: thingGroupProperties?.attributePayload?.attributes,
      });
      const thingGroupArn = registry.arn.thingGroup(thingGroupName);
      return { thingGroupName, thingGroupArn, thingGroupId };
    },
  });
