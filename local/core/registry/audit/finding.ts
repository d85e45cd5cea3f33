/** The checks of Device Defender Audit, by the names of the API; the severity is AWS's. */
export const CHECK_SEVERITIES = {
  AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: 'CRITICAL',
  CA_CERTIFICATE_EXPIRING_CHECK: 'MEDIUM',
  CA_CERTIFICATE_KEY_QUALITY_CHECK: 'CRITICAL',
  CONFLICTING_CLIENT_IDS_CHECK: 'HIGH',
  DEVICE_CERTIFICATE_AGE_CHECK: 'LOW',
  DEVICE_CERTIFICATE_EXPIRING_CHECK: 'MEDIUM',
  DEVICE_CERTIFICATE_KEY_QUALITY_CHECK: 'CRITICAL',
  DEVICE_CERTIFICATE_SHARED_CHECK: 'CRITICAL',
  INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK: 'CRITICAL',
  IOT_POLICY_OVERLY_PERMISSIVE_CHECK: 'CRITICAL',
  IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK: 'MEDIUM',
  IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK: 'MEDIUM',
  IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK: 'CRITICAL',
  LOGGING_DISABLED_CHECK: 'LOW',
  REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK: 'CRITICAL',
  REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK: 'MEDIUM',
  UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: 'CRITICAL',
} as const;

export type CheckName = keyof typeof CHECK_SEVERITIES;
export type Severity = 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW';

export const isCheckName = (name: string): name is CheckName =>
  Object.hasOwn(CHECK_SEVERITIES, name);

export const CHECK_NAMES: readonly CheckName[] = Object.keys(CHECK_SEVERITIES).filter(isCheckName);

/**
 * A check as CloudFormation spells it, `IoTPolicyPotentialMisConfigurationCheck`, by the API's name.
 *
 * @returns undefined for one that is not known here
 */
export const checkNamed = (camel: string): CheckName | undefined =>
  CHECK_NAMES.find((name) => name.replaceAll('_', '') === camel.toUpperCase());

/** @see AWS IoT API Reference, ResourceIdentifier */
export interface ResourceIdentifier {
  readonly deviceCertificateId?: string;
  readonly caCertificateId?: string;
  readonly clientId?: string;
  readonly policyVersionIdentifier?: {
    readonly policyName: string;
    readonly policyVersionId: string;
  };
  readonly account?: string;
  readonly issuerCertificateIdentifier?: {
    readonly issuerCertificateSubject: string;
    readonly issuerId: string;
    readonly issuerCertificateSerialNumber: string;
  };
}

export interface AuditedResource {
  readonly resourceType:
    | 'DEVICE_CERTIFICATE'
    | 'CA_CERTIFICATE'
    | 'IOT_POLICY'
    | 'CLIENT_ID'
    | 'ACCOUNT_SETTINGS'
    | 'ISSUER_CERTIFICATE';
  readonly resourceIdentifier: ResourceIdentifier;
  readonly additionalInfo?: Readonly<Record<string, string>>;
}

/** What a check found, before it is part of a task. */
export interface Breach {
  readonly nonCompliantResource: AuditedResource;
  readonly relatedResources?: readonly AuditedResource[];
  readonly reasonForNonCompliance: string;
  readonly reasonForNonComplianceCode: string;
}

/** A finding as `ListAuditFindings` gives it. @see AWS IoT API Reference, AuditFinding */
export interface AuditFinding extends Breach {
  readonly findingId: string;
  readonly taskId: string;
  readonly checkName: CheckName;
  /** Milliseconds; the API writes seconds. */
  readonly taskStartMs: number;
  readonly foundMs: number;
  readonly severity: Severity;
}
