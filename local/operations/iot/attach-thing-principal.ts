import * as z from 'zod';
import type { Operation } from '../operation.ts';
import {
  type IotDeps,
  iotOperation,
  members,
  principalResource,
  withPrincipalHeader,
} from './iot-call.ts';

const Input = members({
  thingName: z.string(),
  principal: z.string(),
  thingPrincipalType: z
    .literal('NON_EXCLUSIVE_THING', 'the laptop attaches things as NON_EXCLUSIVE_THING only')
    .optional(),
});

export const attachThingPrincipal = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'AttachThingPrincipal',
    http: 'PUT /things/{thingName}/principals',
    input: Input,
    fromHttp: withPrincipalHeader,
    on: ({ principal }) => principalResource(principal),
    context: ({ thingName }) => ({ 'iot:thingArn': registry.arn.thing(thingName) }),
    run: ({ thingName, principal }) => {
      registry.attachThingPrincipal(thingName, principal);
      return {};
    },
  });
