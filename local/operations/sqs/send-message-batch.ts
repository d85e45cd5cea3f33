import * as z from 'zod';
import { sqsError } from '../../stores/queue/error.ts';
import { messageBytes } from '../../stores/queue/message.ts';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, type SqsDeps, sendNeeds, sqsOperation } from './access.ts';
import { runBatch } from './batch.ts';
import { MessageInput, sendOne } from './message.ts';

const MAX_BATCH_BYTES = 1_048_576;

export const sendMessageBatch = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'SendMessageBatch',
    input: z.object({
      QueueUrl,
      Entries: z.array(z.object({ Id: z.string(), ...MessageInput.shape })),
    }),
    needs: (input) => sendNeeds(deps, input.QueueUrl),
    partialFailures: true,
    run({ input, caller, failIndexes }) {
      const name = queueNameOf(input.QueueUrl);
      deps.queues.describe(name);
      checkBytes(input.Entries);
      return runBatch(input.Entries, (entry) => sendOne(deps, name, entry, caller), failIndexes);
    },
  });

function checkBytes(entries: readonly MessageInput[]): void {
  const bytes = entries
    .map(({ MessageBody, MessageAttributes = {} }) =>
      messageBytes({ body: MessageBody, attributes: MessageAttributes }),
    )
    .reduce((sum, size) => sum + size, 0);
  if (bytes <= MAX_BATCH_BYTES) return;
  throw sqsError(
    'BatchRequestTooLong',
    `Batch requests cannot be longer than ${MAX_BATCH_BYTES} bytes. You have sent ${bytes} bytes.`,
  );
}
