import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type AuthorizerDeps, authorizerEntry } from './authorizer-call.ts';
import { flag, iotOperation, members } from './iot-call.ts';
import { creationKey, page } from './page.ts';
import { markerMembers } from './thing-input.ts';

/** Newest first, unless asked otherwise. */
export const listAuthorizers = ({ authorizers }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'ListAuthorizers',
    http: 'GET /authorizers',
    input: members({
      ...markerMembers,
      isAscendingOrder: flag.optional(),
      status: z.enum(['ACTIVE', 'INACTIVE']).optional(),
    }),
    on: () => '*',
    run: ({ marker, pageSize, status, isAscendingOrder = false }) => {
      const { items, next } = page(
        authorizers.list().filter((each) => status === undefined || each.status === status),
        ({ createdMs, name }) => creationKey(createdMs, name),
        { token: marker, size: pageSize, descending: !isAscendingOrder },
      );
      return { authorizers: items.map(authorizerEntry), nextMarker: next };
    },
  });
