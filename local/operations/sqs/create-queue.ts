import * as z from 'zod';
import { sqsError } from '../../stores/queue/error.ts';
import type { Operation } from '../operation.ts';
import { queueArn, queueUrl, type SqsDeps, sqsOperation } from './access.ts';

const Input = z.object({
  QueueName: z.string(),
  Attributes: z.record(z.string(), z.string()).default({}),
  tags: z.record(z.string(), z.string()).default({}),
});

export const createQueue = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'CreateQueue',
    input: Input,
    needs: (input) => [{ action: 'sqs:CreateQueue', resource: queueArn(deps, input.QueueName) }],
    run({ input }) {
      const { QueueName: name, Attributes: attributes, tags } = input;
      if (Object.keys(tags).length > 0) {
        throw sqsError('UnsupportedOperation', 'tags: the laptop keeps no tags of queues.');
      }
      const url = queueUrl(deps, name);
      if (deps.queues.list().some((queue) => queue.name === name)) {
        checkSame(name, attributes, deps.queues.attributes(name));
      } else {
        deps.queues.create({ name, arn: queueArn(deps, name), url, attributes });
      }
      return { QueueUrl: url };
    },
  });

/** CreateQueue may be repeated, but does not change a queue. */
function checkSame(
  name: string,
  asked: Readonly<Record<string, string>>,
  current: Readonly<Record<string, string>>,
): void {
  const other = Object.entries(asked).find(([attribute, value]) => current[attribute] !== value);
  if (other === undefined) return;
  throw sqsError(
    'QueueNameExists',
    `A queue ${name} already exists with a different value for attribute ${other[0]}.`,
  );
}
