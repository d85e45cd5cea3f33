import type { Caller } from '../operation.ts';

/** The account of everything on the laptop. */
const ACCOUNT = '000000000000';

/** A function acts in a session of its role that is named after it, as on AWS; the operator as root. */
export function callerArn(caller: Caller): string {
  if (caller.kind === 'operator') return `arn:aws:iam::${ACCOUNT}:root`;
  const { account, roleName } = partsOf(caller.roleArn);
  return `arn:aws:sts::${account}:assumed-role/${roleName}/${caller.functionName}`;
}

/** `arn:aws:iam::<account>:role/<path>/<name>` */
function partsOf(roleArn: string): { account: string; roleName: string } {
  const [, , , , account = ACCOUNT, role = ''] = roleArn.split(':');
  return { account, roleName: role.split('/').at(-1) ?? '' };
}

/** An assumed role's id is `<role id>:<session name>`, role ids begin with AROA; the root's is the account's. */
export const userIdOf = (caller: Caller): string =>
  caller.kind === 'operator' ? ACCOUNT : `AROALAPTOP:${caller.functionName}`;
