import type { LambdaRuntime } from '../runtime/lambda.ts';
import { resourceOf, serviceOf } from '../runtime/lambda-authorize.ts';
import type { QueueStore } from '../stores/queue-store.ts';

/** Puts a message on a queue, or an event before a function, by ARN. */
export const createDelivery =
  (queues: QueueStore, lambda: Pick<LambdaRuntime, 'invokeAsync'>) =>
  async (
    arn: string,
    body: string,
    attributes: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    if (serviceOf(arn) === 'lambda') {
      lambda.invokeAsync(arn, JSON.parse(body));
      return;
    }
    if (serviceOf(arn) !== 'sqs')
      throw new Error(`${arn}: the laptop delivers to queues and functions`);
    const stringValues = Object.entries(attributes).map(
      ([name, value]) => [name, { DataType: 'String', StringValue: value }] as const,
    );
    queues.send(resourceOf(arn), { body, attributes: Object.fromEntries(stringValues) });
  };
