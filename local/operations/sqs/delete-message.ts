import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, queueNeed, type SqsDeps, sqsOperation } from './access.ts';

export const deleteMessage = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'DeleteMessage',
    input: z.object({ QueueUrl, ReceiptHandle: z.string() }),
    needs: (input) => [queueNeed(deps, 'DeleteMessage', input.QueueUrl)],
    run({ input }) {
      deps.queues.delete(queueNameOf(input.QueueUrl), input.ReceiptHandle);
      return {};
    },
  });
