import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, queueNeed, type SqsDeps, sqsOperation } from './access.ts';
import { runBatch } from './batch.ts';

export const deleteMessageBatch = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'DeleteMessageBatch',
    input: z.object({
      QueueUrl,
      Entries: z.array(z.object({ Id: z.string(), ReceiptHandle: z.string() })),
    }),
    needs: (input) => [queueNeed(deps, 'DeleteMessage', input.QueueUrl)],
    partialFailures: true,
    run({ input, failIndexes }) {
      const name = queueNameOf(input.QueueUrl);
      deps.queues.describe(name);
      return runBatch(
        input.Entries,
        ({ ReceiptHandle }) => {
          deps.queues.delete(name, ReceiptHandle);
          return {};
        },
        failIndexes,
      );
    },
  });
