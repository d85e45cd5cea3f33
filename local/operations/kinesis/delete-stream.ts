import * as z from 'zod';
import { type Operation, operation } from '../operation.ts';
import {
  type KinesisDeps,
  members,
  needOn,
  streamMembers,
  streamNameOf,
  target,
} from './stream-call.ts';

/** Consumers, which `EnforceConsumerDeletion` is about, do not exist here. */
const Input = members({ ...streamMembers, EnforceConsumerDeletion: z.boolean().optional() });

/** Deletes a stream and its records at once. */
export const deleteStream = (deps: KinesisDeps): Operation =>
  operation({
    route: target('DeleteStream'),
    input: Input,
    needs: needOn(deps, 'DeleteStream'),
    run: ({ input }) => deps.streams.remove(streamNameOf(input)),
  });
