import type { PolicySource } from '../../policy/index.ts';
import type { Breach } from './finding.ts';

/** What checks look at of a device's certificate, or of an authority's. */
export interface AuditedCertificate {
  readonly certificateId: string;
  /** Only what is ACTIVE, or on its way to another account, is audited. */
  readonly status: string;
  readonly createdMs: number;
  readonly notAfterMs: number;
  /** Undefined for other keys than RSA. */
  readonly rsaModulus?: bigint | undefined;
  /** Whether its issuer's revocation list names it; undefined where there is no list to look at. */
  readonly revoked?: boolean | undefined;
  /** The registered authority that signed it. */
  readonly caCertificateId?: string | undefined;
}

export interface AuditedAuthority extends AuditedCertificate {
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
}

/** One connection of a device, from its beginning to its end. */
export interface ConnectionRecord {
  readonly clientId: string;
  /** Id of the certificate, or whoever else the connection was made by. */
  readonly principal: string;
  readonly connectedMs: number;
  /** Undefined while it lasts. */
  readonly disconnectedMs?: number | undefined;
  readonly disconnectReason?: string | undefined;
}

export interface AuditedPolicy extends PolicySource {
  /** Of the version that holds. */
  readonly versionId: string;
}

/** What an audit looks at, as it is at one moment. */
export interface AuditedAccount {
  readonly accountId: string;
  readonly nowMs: number;
  readonly certificates: readonly AuditedCertificate[];
  readonly authorities: readonly AuditedAuthority[];
  readonly policies: readonly AuditedPolicy[];
  /** Those of the time that the audit looks back on. */
  readonly connections: readonly ConnectionRecord[];
  readonly loggingEnabled: boolean;
}

/** Days, where a check lets them be chosen. */
export interface CheckSettings {
  readonly expirationDays: number;
  readonly ageDays: number;
}

/** @see AWS IoT API Reference, AuditCheckConfiguration, ConfigName */
export const DEFAULT_SETTINGS: CheckSettings = { expirationDays: 30, ageDays: 365 };

/** What one check looked at, and what of it is not as it should be. */
export interface CheckResult {
  readonly total: number;
  readonly breaches: readonly Breach[];
}
