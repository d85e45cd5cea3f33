import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, queueNeed, type SqsDeps, sqsOperation } from './access.ts';

export const setQueueAttributes = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'SetQueueAttributes',
    input: z.object({ QueueUrl, Attributes: z.record(z.string(), z.string()) }),
    needs: (input) => [queueNeed(deps, 'SetQueueAttributes', input.QueueUrl)],
    run({ input }) {
      deps.queues.setAttributes(queueNameOf(input.QueueUrl), input.Attributes);
      return {};
    },
  });
