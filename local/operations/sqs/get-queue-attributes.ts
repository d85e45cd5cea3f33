import * as z from 'zod';
import { sqsError } from '../../stores/queue/error.ts';
import type { Operation } from '../operation.ts';
import { QueueUrl, queueNameOf, queueNeed, type SqsDeps, sqsOperation } from './access.ts';

/** Names that may be asked for though the queue has no value for them. */
const MAY_BE_UNSET = [
  'KmsMasterKeyId',
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'Policy',
  'KmsDataKeyReusePeriodSeconds',
];

export const getQueueAttributes = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'GetQueueAttributes',
    input: z.object({ QueueUrl, AttributeNames: z.array(z.string()).default([]) }),
    needs: (input) => [queueNeed(deps, 'GetQueueAttributes', input.QueueUrl)],
    run({ input }) {
      const attributes = deps.queues.attributes(queueNameOf(input.QueueUrl));
      const names = input.AttributeNames;
      const strange = names.find(
        (name) => name !== 'All' && !(name in attributes) && !MAY_BE_UNSET.includes(name),
      );
      if (strange !== undefined) {
        throw sqsError('InvalidAttributeName', `Unknown Attribute ${strange}.`);
      }
      const chosen = Object.entries(attributes).filter(
        ([name]) => names.includes('All') || names.includes(name),
      );
      return chosen.length === 0 ? {} : { Attributes: Object.fromEntries(chosen) };
    },
  });
