import * as z from 'zod';
import { found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

export const describeThing = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'DescribeThing',
    http: 'GET /things/{thingName}',
    input: members({ thingName: z.string() }),
    on: ({ thingName }) => registry.arn.thing(thingName),
    run: ({ thingName }) => ({
      defaultClientId: thingName,
      ...found(registry.thing(thingName), 'thing', thingName),
      thingArn: registry.arn.thing(thingName),
    }),
  });
