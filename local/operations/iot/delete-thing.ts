import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { count, type IotDeps, iotOperation, members } from './iot-call.ts';

const Input = members({
  thingName: z.string(),
  expectedVersion: count(0, Number.MAX_SAFE_INTEGER).optional(),
});

/** Deleting what is not there succeeds, as on AWS. */
export const deleteThing = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'DeleteThing',
    http: 'DELETE /things/{thingName}',
    input: Input,
    on: ({ thingName }) => registry.arn.thing(thingName),
    run: ({ thingName, expectedVersion }) => {
      registry.deleteThing(thingName, expectedVersion);
      return {};
    },
  });
