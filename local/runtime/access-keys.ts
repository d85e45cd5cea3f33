import type { CompiledPolicies } from '../core/policy/index.ts';
import type { SecretKey } from '../core/sigv4/index.ts';

/** Who signs with an access key, and what IAM lets them do. */
export interface Signer {
  /** What `principal()` and the lifecycle events show: a user id, or the id of a Cognito identity. */
  readonly principal: string;
  /** Whether it is the person at this machine, whose keys no web page may use. */
  readonly isOperator: boolean;
  readonly policies: CompiledPolicies;
  /** A signed-in Cognito identity may do only what the IoT policies attached to it allow as well. */
  readonly identityId?: string;
}

export interface AccessKey extends SecretKey {
  readonly signer: Signer;
}

/** The access keys known to the laptop. */
export type AccessKeys = (accessKeyId: string) => AccessKey | undefined;
