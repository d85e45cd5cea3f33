import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, queueNeed, type SqsDeps, sqsOperation } from './access.ts';
import { changeOne, VisibilityInput } from './visibility.ts';

export const changeMessageVisibility = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'ChangeMessageVisibility',
    input: z.object({ QueueUrl, ...VisibilityInput.shape }),
    needs: (input) => [queueNeed(deps, 'ChangeMessageVisibility', input.QueueUrl)],
    run: ({ input }) => changeOne(deps.queues, queueNameOf(input.QueueUrl), input),
  });
