import * as z from 'zod';
import { sqsError } from '../../stores/queue/error.ts';
import type { Operation } from '../operation.ts';
import { queueArn, queueUrl, type SqsDeps, sqsOperation } from './access.ts';

export const getQueueUrl = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'GetQueueUrl',
    input: z.object({ QueueName: z.string(), QueueOwnerAWSAccountId: z.string().optional() }),
    needs: (input) => [{ action: 'sqs:GetQueueUrl', resource: queueArn(deps, input.QueueName) }],
    run({ input }) {
      const owner = input.QueueOwnerAWSAccountId ?? deps.accountId;
      if (owner !== deps.accountId) {
        throw sqsError('QueueDoesNotExist', `The laptop has no account ${owner}.`);
      }
      return { QueueUrl: queueUrl(deps, deps.queues.describe(input.QueueName).name) };
    },
  });
