import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, queueNeed, type SqsDeps, sqsOperation } from './access.ts';
import { runBatch } from './batch.ts';
import { changeOne, VisibilityInput } from './visibility.ts';

export const changeMessageVisibilityBatch = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'ChangeMessageVisibilityBatch',
    input: z.object({
      QueueUrl,
      Entries: z.array(z.object({ Id: z.string(), ...VisibilityInput.shape })),
    }),
    needs: (input) => [queueNeed(deps, 'ChangeMessageVisibility', input.QueueUrl)],
    partialFailures: true,
    run({ input, failIndexes }) {
      const name = queueNameOf(input.QueueUrl);
      deps.queues.describe(name);
      return runBatch(input.Entries, (entry) => changeOne(deps.queues, name, entry), failIndexes);
    },
  });
