import * as z from 'zod';
import { sqsError } from '../../stores/queue/error.ts';
import type { QueueStore } from '../../stores/queue-store.ts';

const MAX_SECONDS = 43_200;

/** Members that ChangeMessageVisibility and an entry of its batch have in common. */
export const VisibilityInput = z.object({
  ReceiptHandle: z.string(),
  VisibilityTimeout: z.int().optional(),
});
export type VisibilityInput = z.infer<typeof VisibilityInput>;

/** @throws {AwsError} with SQS's codes */
export function changeOne(queues: QueueStore, queueName: string, input: VisibilityInput) {
  const { ReceiptHandle, VisibilityTimeout: seconds } = input;
  if (seconds === undefined || seconds < 0 || seconds > MAX_SECONDS) {
    throw sqsError(
      'InvalidParameterValue',
      `Value ${seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and ${MAX_SECONDS}.`,
    );
  }
  queues.changeVisibility(queueName, ReceiptHandle, seconds);
  return {};
}
