import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';
import { page } from './page.ts';
import { pageMembers } from './thing-input.ts';

export const listThingPrincipals = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'ListThingPrincipals',
    http: 'GET /things/{thingName}/principals',
    input: members({ ...pageMembers, thingName: z.string() }),
    on: ({ thingName }) => registry.arn.thing(thingName),
    run: ({ thingName, nextToken, maxResults }) => {
      const { items, next } = page(registry.principalsOf(thingName), (principal) => principal, {
        token: nextToken,
        size: maxResults,
      });
      return { principals: items, nextToken: next };
    },
  });
