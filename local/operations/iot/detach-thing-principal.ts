import * as z from 'zod';
import type { Operation } from '../operation.ts';
import {
  type IotDeps,
  iotOperation,
  members,
  principalResource,
  withPrincipalHeader,
} from './iot-call.ts';

export const detachThingPrincipal = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'DetachThingPrincipal',
    http: 'DELETE /things/{thingName}/principals',
    input: members({ thingName: z.string(), principal: z.string() }),
    fromHttp: withPrincipalHeader,
    on: ({ principal }) => principalResource(principal),
    context: ({ thingName }) => ({ 'iot:thingArn': registry.arn.thing(thingName) }),
    run: ({ thingName, principal }) => {
      registry.detachThingPrincipal(thingName, principal);
      return {};
    },
  });
