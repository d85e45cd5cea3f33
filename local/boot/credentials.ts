import { type CompiledPolicies, compilePolicies, type PolicySource } from '../core/policy/index.ts';
import type { Caller } from '../operations/operation.ts';
import { userIdOf } from '../operations/sts/caller-arn.ts';
import type { AccessKeys } from '../runtime/access-keys.ts';
import type { Credentials } from '../runtime/lambda-environment.ts';
import type { FunctionSpec } from '../runtime/lambda-function.ts';

/** Somebody to give temporary keys to: a dashboard, a person, a test. */
export interface SessionRequest {
  /** Names the session and the role it is of. */
  readonly name: string;
  /** What IAM lets it do. */
  readonly policies: readonly PolicySource[];
  /** Of a signed-in Cognito identity, which the IoT policies attached to it hold as well. */
  readonly identityId?: string;
}

export interface CredentialDesk {
  readonly credentialsOf: (functionName: string) => Credentials;
  readonly callerOf: (accessKeyId: string) => Caller;
  /** Every key that can sign at the device gateway. */
  readonly keys: AccessKeys;
  /** Makes keys of a role of its own. @throws {PolicyError} */
  readonly addSession: (asked: SessionRequest) => Credentials;
}

/** What the desk needs of the roles. */
export interface RoleBook {
  readonly policiesOf: (roleArn: string) => CompiledPolicies;
  readonly declareRole: (roleArn: string, policies: CompiledPolicies) => void;
}

/** The operator's keys are no secret on the operator's own machine; web pages may not use them. */
const OPERATOR_KEY = 'operator';
const EVERYTHING = compilePolicies(
  [
    {
      name: 'operator',
      document: {
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
      },
    },
  ],
  'iam',
);

const OPERATOR: Caller = { kind: 'operator' };

interface Holder {
  readonly caller: Caller & { readonly kind: 'function' };
  readonly credentials: Credentials;
  readonly identityId?: string;
}

/**
 * Gives each function keys of its own, new at each boot, so that a call tells whose role it is held to.
 *
 * @param randomHex  so many random bytes, in hexadecimal
 */
export function openCredentialDesk(
  functions: readonly FunctionSpec[],
  randomHex: (bytes: number) => string,
  roles: RoleBook,
): CredentialDesk {
  const keys = new Map<string, Credentials>();
  const holders = new Map<string, Holder>();
  const issue = (caller: Caller & { kind: 'function' }, identityId?: string): Credentials => {
    const credentials = {
      accessKeyId: `ASIA${randomHex(8).toUpperCase()}`,
      secretAccessKey: randomHex(20),
      sessionToken: randomHex(32),
    };
    const identity = identityId === undefined ? {} : { identityId };
    holders.set(credentials.accessKeyId, { caller, credentials, ...identity });
    return credentials;
  };
  for (const { name, roleArn } of functions) {
    keys.set(name, issue({ kind: 'function', functionName: name, roleArn }));
  }
  return {
    credentialsOf: (functionName) => {
      const known = keys.get(functionName);
      if (known === undefined) throw new Error(`No function is named ${functionName}`);
      return known;
    },
    callerOf: (accessKeyId) => holders.get(accessKeyId)?.caller ?? OPERATOR,
    addSession: ({ name, policies, identityId }) => {
      const roleArn = `arn:aws:iam::000000000000:role/session/${name}`;
      roles.declareRole(roleArn, compilePolicies(policies, 'iam'));
      return issue({ kind: 'function', functionName: name, roleArn }, identityId);
    },
    keys: (accessKeyId) => {
      if (accessKeyId === OPERATOR_KEY) {
        const principal = userIdOf(OPERATOR);
        const signer = { principal, isOperator: true, policies: EVERYTHING };
        return { secretAccessKey: OPERATOR_KEY, signer };
      }
      const holder = holders.get(accessKeyId);
      if (holder === undefined) return undefined;
      const { caller, credentials, identityId } = holder;
      const signer = {
        principal: identityId ?? userIdOf(caller),
        isOperator: false,
        policies: roles.policiesOf(caller.roleArn),
        ...(identityId !== undefined && { identityId }),
      };
      return { ...credentials, signer };
    },
  };
}
