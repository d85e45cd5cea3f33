import { AwsError, type Caller, type Need } from '../operations/operation.ts';
import { callerArn } from '../operations/sts/caller-arn.ts';

/** What a policy decision says; a `Decision` of the policy engine is one. */
export interface Verdict {
  readonly allowed: boolean;
  /** One sentence: which statement decided, with which values. */
  readonly explanation: string;
  /** `explicit-deny` changes AWS's wording; anything else is an implicit one. */
  readonly reason?: string;
}

export type Authorize = (caller: Caller, need: Need) => Verdict;

/** @throws {AwsError} in AWS's words for the first need that the caller's role does not grant. */
export function demand(
  authorize: Authorize,
  caller: Caller,
  needs: readonly Need[],
  codeFor: (need: Need) => string = () => 'AccessDeniedException',
): void {
  for (const need of needs) {
    const verdict = authorize(caller, need);
    if (!verdict.allowed) throw new AwsError(codeFor(need), denial(caller, need, verdict));
  }
}

function denial(caller: Caller, { action, resource }: Need, verdict: Verdict): string {
  const why =
    verdict.reason === 'explicit-deny'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${action} action`;
  const role = caller.kind === 'function' ? ` Role ${caller.roleArn}:` : '';
  const user = callerArn(caller);
  return `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${why}.${role} ${verdict.explanation}`;
}
