import type { PolicySource } from '../../core/policy/index.ts';

export type CertificateStatus = 'ACTIVE' | 'INACTIVE' | 'REVOKED' | 'PENDING_ACTIVATION' | string;

/** What the gateway reads of the registry; it writes nothing. */
export interface RegistryView {
  /** `certificateId`: SHA-256 of the DER, in hex. */
  certificate(certificateId: string): { readonly status: CertificateStatus } | undefined;
  /** PEM of the CAs whose certificates may register. */
  caCertificates(): readonly string[];
  policiesOf(certificateId: string): readonly PolicySource[];
  thing(name: string): RegisteredThing | undefined;
  /** Names of the things attached to a certificate. */
  thingsOf(certificateId: string): readonly string[];
  /** @returns a function that ends the listening */
  onChange(listener: () => void): () => void;
}

export interface RegisteredThing {
  readonly attributes: Readonly<Record<string, string>>;
  readonly thingTypeName?: string | undefined;
}
