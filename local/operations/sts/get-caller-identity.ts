import * as z from 'zod';
import { type Caller, type Operation, operation } from '../operation.ts';
import { callerArn } from './caller-arn.ts';

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
      return { Arn: arn, UserId: userId(caller, account), Account: account };
    },
  });

/** An assumed role's id is `<role id>:<session name>`; role ids begin with AROA. */
function userId(caller: Caller, account: string | undefined): string | undefined {
  return caller.kind === 'operator' ? account : `AROALAPTOP:${caller.functionName}`;
}
