import * as z from 'zod';
import type { Thing } from '../../core/registry/index.ts';
import { AwsError, type Operation } from '../operation.ts';
import { flag, type IotDeps, iotOperation, members } from './iot-call.ts';
import { page } from './page.ts';
import { pageMembers } from './thing-input.ts';

const Input = members({
  ...pageMembers,
  attributeName: z.string().optional(),
  attributeValue: z.string().optional(),
  thingTypeName: z.string().optional(),
  usePrefixAttributeValue: flag.optional(),
});
type Input = z.infer<typeof Input>;

export const listThings = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'ListThings',
    http: 'GET /things',
    input: Input,
    on: () => '*',
    run: (input) => {
      if ((input.attributeName === undefined) !== (input.attributeValue === undefined))
        throw new AwsError(
          'InvalidRequestException',
          'attributeName and attributeValue are given together',
        );
      const things = registry.listThings().filter((thing) => fits(thing, input));
      const { items, next } = page(things, ({ thingName }) => thingName, {
        token: input.nextToken,
        size: input.maxResults,
      });
      return {
        things: items.map(({ thingId, ...thing }) => ({
          ...thing,
          thingArn: registry.arn.thing(thing.thingName),
        })),
        nextToken: next,
      };
    },
  });

function fits({ attributes, thingTypeName }: Thing, input: Input): boolean {
  if (input.thingTypeName !== undefined && thingTypeName !== input.thingTypeName) return false;
  const { attributeName, attributeValue, usePrefixAttributeValue } = input;
  if (attributeName === undefined || attributeValue === undefined) return true;
  const value = attributes[attributeName];
  return usePrefixAttributeValue === true
    ? (value?.startsWith(attributeValue) ?? false)
    : value === attributeValue;
}
