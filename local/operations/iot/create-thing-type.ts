import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

const Input = members({
  thingTypeName: z.string(),
  thingTypeProperties: members({ thingTypeDescription: z.string().optional() }).optional(),
});

export const createThingType = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'CreateThingType',
    http: 'POST /thing-types/{thingTypeName}',
    input: Input,
    on: ({ thingTypeName }) => registry.arn.thingType(thingTypeName),
    run: ({ thingTypeName, thingTypeProperties }) => {
      const description = thingTypeProperties?.thingTypeDescription;
      const { thingTypeId } = registry.createThingType(thingTypeName, description);
      return { thingTypeName, thingTypeId, thingTypeArn: registry.arn.thingType(thingTypeName) };
    },
  });
