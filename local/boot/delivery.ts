import type { LambdaRuntime } from '../runtime/lambda.ts';
import { resourceOf, serviceOf } from '../runtime/lambda-authorize.ts';
import type { Publish } from '../runtime/topics/publisher.ts';
import type { QueueStore } from '../stores/queue-store.ts';

interface Lines {
  readonly sendToQueue: QueueStore['send'];
  readonly invokeAsync: LambdaRuntime['invokeAsync'];
  readonly publish: Publish;
}

/** Puts a message on a queue or a topic, or an event before a function, by ARN. */
export const createDelivery =
  ({ sendToQueue, invokeAsync, publish }: Lines) =>
  async (
    arn: string,
    body: string,
    attributes: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    if (serviceOf(arn) === 'lambda') {
      invokeAsync(arn, JSON.parse(body));
      return;
    }
    const isQueue = serviceOf(arn) === 'sqs';
    if (!isQueue && serviceOf(arn) !== 'sns')
      throw new Error(`${arn}: the laptop delivers to queues, topics and functions`);
    const stringValues = Object.entries(attributes).map(
      ([name, value]) => [name, { DataType: 'String', StringValue: value }] as const,
    );
    const texts = Object.fromEntries(stringValues);
    if (isQueue) sendToQueue(resourceOf(arn), { body, attributes: texts });
    else publish(arn, { message: body, attributes: texts });
  };
