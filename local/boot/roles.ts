import * as z from 'zod';
import { type CompiledPolicies, compilePolicies, decide } from '../core/policy/index.ts';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import type { Caller, Need } from '../operations/operation.ts';
import { arnOf, BootError, ofType, propertiesOf } from './resources.ts';

const InlinePolicy = z.object({ PolicyName: z.string(), PolicyDocument: z.unknown() });
const RoleProperties = z.object({
  Policies: z.array(InlinePolicy).default([]),
  ManagedPolicyArns: z.array(z.string()).default([]),
});

/** An inline policy that stands beside its roles, which it names. */
const PolicyProperties = InlinePolicy.extend({ Roles: z.array(z.string()).default([]) });

export interface Verdict {
  readonly allowed: boolean;
  readonly explanation: string;
}

export interface Roles {
  /** Whether the role's policies in the template grant it. */
  readonly authorizeRole: (roleArn: string, need: Need) => Verdict;
  /** The same for whoever signed a request; the operator may do everything. */
  readonly authorize: (caller: Caller, need: Need) => Verdict;
  /** The role's policies, none where it is not known. */
  readonly policiesOf: (roleArn: string) => CompiledPolicies;
  /** Whether it is one of the template, or was declared. */
  readonly isKnown: (roleArn: string) => boolean;
  /** Adds a role that the template has not: of a session somebody opened. */
  readonly declareRole: (roleArn: string, policies: CompiledPolicies) => void;
}

/** Sees each grant that somebody needed of a role, and whether the role has it. */
export type OnNeed = (roleArn: string, need: Need, verdict: Verdict) => void;

/**
 * The roles of the template, their inline policies compiled.
 * @throws {BootError} for managed policies, whose contents only AWS has, and for malformed documents
 */
export function loadRoles(stack: ResolvedStack, onNeed?: OnNeed): Roles {
  const beside = ofType(stack, 'AWS::IAM::Policy').map((policy) =>
    propertiesOf(policy, PolicyProperties),
  );
  const roles = new Map<string, CompiledPolicies>();
  for (const role of ofType(stack, 'AWS::IAM::Role')) {
    const own = ownPolicies(role);
    const others = beside.filter(({ Roles }) => Roles.includes(role.name));
    const sources = [...own, ...others].map(({ PolicyName, PolicyDocument }) => ({
      name: PolicyName,
      document: PolicyDocument,
    }));
    roles.set(arnOf(role), compilePolicies(sources, 'iam'));
  }
  return deciding(roles, onNeed);
}

function ownPolicies(role: ResolvedResource) {
  const { Policies, ManagedPolicyArns } = propertiesOf(role, RoleProperties);
  if (ManagedPolicyArns.length === 0) return Policies;
  const names = ManagedPolicyArns.join(', ');
  throw new BootError([`${role.logicalId}: managed policies are not known here: ${names}`]);
}

const NOTHING = compilePolicies([], 'iam');

function deciding(roles: Map<string, CompiledPolicies>, onNeed?: OnNeed): Roles {
  const verdictOn = (roleArn: string, { action, resource, context = {} }: Need): Verdict => {
    const policies = roles.get(roleArn);
    if (policies !== undefined) return decide(policies, { action, resource, context });
    return { allowed: false, explanation: `the template has no role ${roleArn}` };
  };
  const authorizeRole: Roles['authorizeRole'] = (roleArn, need) => {
    const verdict = verdictOn(roleArn, need);
    onNeed?.(roleArn, need, verdict);
    return verdict;
  };
  return {
    authorizeRole,
    policiesOf: (roleArn) => roles.get(roleArn) ?? NOTHING,
    isKnown: (roleArn) => roles.has(roleArn),
    declareRole: (roleArn, policies) => void roles.set(roleArn, policies),
    authorize: (caller, need) =>
      caller.kind === 'operator'
        ? { allowed: true, explanation: 'the operator may do everything' }
        : authorizeRole(caller.roleArn, need),
  };
}
