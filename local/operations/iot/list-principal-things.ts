import * as z from 'zod';
import type { Operation } from '../operation.ts';
import {
  type IotDeps,
  iotOperation,
  members,
  principalResource,
  withPrincipalHeader,
} from './iot-call.ts';
import { page } from './page.ts';
import { pageMembers } from './thing-input.ts';

export const listPrincipalThings = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'ListPrincipalThings',
    http: 'GET /principals/things',
    input: members({ ...pageMembers, principal: z.string() }),
    fromHttp: withPrincipalHeader,
    on: ({ principal }) => principalResource(principal),
    run: ({ principal, nextToken, maxResults }) => {
      const { items, next } = page(registry.thingsOfPrincipal(principal), (name) => name, {
        token: nextToken,
        size: maxResults,
      });
      return { things: items, nextToken: next };
    },
  });
