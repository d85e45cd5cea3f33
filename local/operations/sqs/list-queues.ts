import * as z from 'zod';
import { sqsError } from '../../stores/queue/error.ts';
import type { Operation } from '../operation.ts';
import { queueArn, queueUrl, type SqsDeps, sqsOperation } from './access.ts';

const MAX_RESULTS = 1000;

export const listQueues = (deps: SqsDeps): Operation =>
  sqsOperation({
    name: 'ListQueues',
    input: z.object({
      QueueNamePrefix: z.string().default(''),
      MaxResults: z.int().min(1).max(MAX_RESULTS).optional(),
      NextToken: z.string().optional(),
    }),
    needs: () => [{ action: 'sqs:ListQueues', resource: queueArn(deps, '*') }],
    run({ input }) {
      const after = input.NextToken === undefined ? '' : nameIn(input.NextToken);
      const names = deps.queues
        .list()
        .map(({ name }) => name)
        .filter((name) => name.startsWith(input.QueueNamePrefix) && name > after)
        .sort((a, b) => (a < b ? -1 : 1));
      const page = names.slice(0, input.MaxResults ?? MAX_RESULTS);
      const last = page.at(-1);
      const more = input.MaxResults !== undefined && names.length > page.length && last;
      return {
        QueueUrls: page.map((name) => queueUrl(deps, name)),
        ...(more && { NextToken: Buffer.from(more).toString('base64url') }),
      };
    },
  });

function nameIn(token: string): string {
  const name = Buffer.from(token, 'base64url').toString('utf8');
  if (/^[A-Za-z0-9_-]{1,80}$/.test(name)) return name;
  throw sqsError(
    'InvalidParameterValue',
    `${JSON.stringify(token)} is no NextToken of ListQueues.`,
  );
}
