import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';
import { AttributePayload } from './thing-input.ts';

const Input = members({
  thingName: z.string(),
  thingTypeName: z.string().optional(),
  attributePayload: AttributePayload.optional(),
  expectedVersion: z.int().optional(),
  removeThingType: z.boolean().optional(),
});

export const updateThing = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'UpdateThing',
    http: 'PATCH /things/{thingName}',
    input: Input,
    on: ({ thingName }) => registry.arn.thing(thingName),
    run: ({ thingName, attributePayload, ...update }) => {
      registry.updateThing(thingName, { ...update, ...attributePayload });
      return {};
    },
  });
