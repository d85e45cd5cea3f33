import * as z from 'zod';
import { type Operation, operation } from '../operation.ts';
import { callerArn, userIdOf } from './caller-arn.ts';

/** Who the laptop takes the caller for. Needs no grant, as on AWS. */
export const getCallerIdentity = (): Operation =>
  operation({
    route: {
      service: 'sts',
      action: 'GetCallerIdentity',
      xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    },
    input: z.object({}),
    needs: () => [],
    run: ({ caller }) => {
      const arn = callerArn(caller);
      const [, , , , account] = arn.split(':');
      return { Arn: arn, UserId: userIdOf(caller), Account: account };
    },
  });
