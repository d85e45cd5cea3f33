import { hash } from 'node:crypto';

/** Who somebody is, once a credential has proved it. */
export interface Identity {
  /** `[A-Za-z0-9]{1,128}`: what rules know the device's messages by. */
  readonly principalId: string;
  readonly thing: string;
  readonly fleet: string;
  /** When the credential itself ends; a connection does not outlive it by more than five minutes. */
  readonly expiresAtMs?: number | undefined;
}

/**
 * A name for the bearer of a credential in the characters that AWS takes, injective as far as SHA-256 is. Its prefix
 * makes it longer than a certificate's id, so that neither can be taken for the other.
 */
export const principalOf = (kind: 'token' | 'secret', ...parts: readonly string[]): string =>
  `${kind}${hash('sha256', JSON.stringify(parts), 'hex')}`;
