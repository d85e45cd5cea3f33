import type { CompiledPolicies, CompiledStatement } from './compile.ts';
import { allowsAttributes, applies, type PolicyRequest } from './evaluate.ts';
import {
  explainAllowed,
  explainDenied,
  explainRefused,
  fixDenied,
  fixRefused,
  type NearMiss,
  nearestMiss,
  type Values,
  valuesOf,
} from './explain.ts';

/** Explanation, fix and variables are worked out when first read, so that a decision costs little. */
export interface Decision {
  readonly allowed: boolean;
  readonly reason: 'allowed' | 'explicit-deny' | 'no-statement-allows';
  /** Name of the policy that decided; none where no statement allows. */
  readonly policy?: string;
  /** Its `Sid`, or its place in the policy. */
  readonly statement?: string | number;
  /** One sentence, with the values that variables had. */
  readonly explanation: string;
  /** The smallest change that would allow it. */
  readonly fix?: string | undefined;
  /** Variables and condition keys of the statement that decided, or came nearest, with the values they had. */
  readonly variables: Values;
}

/**
 * Deny wins, then any Allow, else refused.
 *
 * @see IoT Core Developer Guide, "AWS IoT Core policies"; IAM User Guide, "Policy evaluation logic"
 */
export function decide(policies: CompiledPolicies, request: PolicyRequest): Decision {
  const { denies, allows } = policies.about(request.action);
  for (const statement of denies)
    if (applies(statement, request)) return denied(statement, request);
  for (const statement of allows)
    if (applies(statement, request) && allowsAttributes(statement, policies, request))
      return allowed(statement, request);
  return refused(policies, request);
}

const allowed = (statement: CompiledStatement, request: PolicyRequest): Decision => ({
  allowed: true,
  reason: 'allowed',
  policy: statement.policy,
  statement: statement.id,
  get explanation() {
    return explainAllowed(statement, request);
  },
  get variables() {
    return valuesOf(statement, statement.resources, request.context);
  },
});

const denied = (statement: CompiledStatement, request: PolicyRequest): Decision => ({
  allowed: false,
  reason: 'explicit-deny',
  policy: statement.policy,
  statement: statement.id,
  get explanation() {
    return explainDenied(statement, request);
  },
  get fix() {
    return fixDenied(statement);
  },
  get variables() {
    return valuesOf(statement, statement.resources, request.context);
  },
});

function refused(policies: CompiledPolicies, request: PolicyRequest): Decision {
  let miss: { readonly nearest: NearMiss | undefined } | undefined;
  const nearest = (): NearMiss | undefined => {
    miss ??= { nearest: nearestMiss(policies, request) };
    return miss.nearest;
  };
  return {
    allowed: false,
    reason: 'no-statement-allows',
    get explanation() {
      return explainRefused(nearest(), policies, request);
    },
    get fix() {
      return fixRefused(nearest(), request);
    },
    get variables() {
      return nearest()?.values ?? {};
    },
  };
}
