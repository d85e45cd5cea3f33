import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';
import { AttributePayload } from './thing-input.ts';

const Input = members({
  thingName: z.string(),
  thingTypeName: z.string().optional(),
  attributePayload: AttributePayload.optional(),
});

export const createThing = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'CreateThing',
    http: 'POST /things/{thingName}',
    input: Input,
    on: ({ thingName }) => registry.arn.thing(thingName),
    run: ({ thingName, thingTypeName, attributePayload }) => {
      const attributes = attributePayload?.attributes;
      const { thingId } = registry.createThing({ thingName, thingTypeName, attributes });
      return { thingName, thingArn: registry.arn.thing(thingName), thingId };
    },
  });
