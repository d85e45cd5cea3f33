import * as z from 'zod';
import { count, members } from './iot-call.ts';

export const AttributePayload = members({
  attributes: z.record(z.string(), z.string()).optional(),
  merge: z.boolean().optional(),
});

/** Pages by `nextToken` and `maxResults`. */
export const pageMembers = {
  nextToken: z.string().optional(),
  maxResults: count(1, 250).optional(),
};

/** Pages by `marker` and `pageSize`. */
export const markerMembers = {
  marker: z.string().optional(),
  pageSize: count(1, 250).optional(),
};
