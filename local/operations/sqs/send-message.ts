import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, type SqsDeps, sendNeeds, sqsOperation } from './access.ts';
import { MessageInput, sendOne } from './message.ts';

export const sendMessage = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'SendMessage',
    input: z.object({ QueueUrl, ...MessageInput.shape }),
    needs: (input) => sendNeeds(deps, input.QueueUrl),
    run: ({ input, caller }) => sendOne(deps, queueNameOf(input.QueueUrl), input, caller),
  });
