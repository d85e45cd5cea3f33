import * as z from 'zod';
import { found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';
import { page } from './page.ts';
import { pageMembers } from './thing-input.ts';

export const listThingGroupsForThing = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'ListThingGroupsForThing',
    http: 'GET /things/{thingName}/thing-groups',
    input: members({ ...pageMembers, thingName: z.string() }),
    on: ({ thingName }) => registry.arn.thing(thingName),
    run: ({ thingName, nextToken, maxResults }) => {
      found(registry.thing(thingName), 'thing', thingName);
      const { items, next } = page(registry.groupsOf(thingName), (name) => name, {
        token: nextToken,
        size: maxResults,
      });
      const thingGroups = items.map((groupName) => ({
        groupName,
        groupArn: registry.arn.thingGroup(groupName),
      }));
      return { thingGroups, nextToken: next };
    },
  });
