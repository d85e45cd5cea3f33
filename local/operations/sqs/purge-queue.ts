import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, queueNeed, type SqsDeps, sqsOperation } from './access.ts';

export const purgeQueue = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'PurgeQueue',
    input: z.object({ QueueUrl }),
    needs: (input) => [queueNeed(deps, 'PurgeQueue', input.QueueUrl)],
    run({ input }) {
      deps.queues.purge(queueNameOf(input.QueueUrl));
      return {};
    },
  });
