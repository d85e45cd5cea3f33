import type { Message, QueueStore } from '../../stores/queue-store.ts';
import type { InvokeResult } from '../lambda.ts';
import { type BatchVerdict, readBatchResponse } from './batch-response.ts';
import type { MappingDeps } from './deps.ts';
import type { QueueMappingSpec } from './specs.ts';
import { sqsEventRecord } from './sqs-event.ts';

interface World extends MappingDeps {
  readonly spec: QueueMappingSpec;
  readonly queues: Pick<QueueStore, 'delete'>;
}

/**
 * Gives one batch of messages to the function and deletes those it has dealt with. The others show
 * up again once their visibility timeout has passed; the queue's redrive policy counts them.
 *
 * @returns whether the function ran
 */
export async function runQueueBatch(messages: readonly Message[], world: World): Promise<boolean> {
  const { spec, queues, log } = world;
  const event = { Records: messages.map((message) => sqsEventRecord(message, spec.sourceArn)) };
  const say = (message: string) =>
    log({ level: 'warn', source: 'event-source', message, function: spec.functionName });
  try {
    const verdict = verdictOf(await world.invoke(spec.functionName, event), messages, spec);
    for (const { messageId, receiptHandle } of messages) {
      if (isDone(verdict, messageId)) queues.delete(spec.queueName, receiptHandle);
    }
    if (verdict.kind !== 'success') say(`messages of ${spec.queueName} failed and will come again`);
    return true;
  } catch (error) {
    say(`messages of ${spec.queueName} could not be given to the function: ${String(error)}`);
    return false;
  }
}

function verdictOf(
  result: InvokeResult,
  messages: readonly Message[],
  { reportsItemFailures }: QueueMappingSpec,
): BatchVerdict {
  if (!result.ok) return { kind: 'failure' };
  if (!reportsItemFailures) return { kind: 'success' };
  return readBatchResponse(result.payload, new Set(messages.map(({ messageId }) => messageId)));
}

const isDone = (verdict: BatchVerdict, messageId: string): boolean =>
  verdict.kind === 'success' || (verdict.kind === 'partial' && !verdict.failed.has(messageId));
