import type { AuditedAccount, CheckResult, CheckSettings } from './account.ts';
import {
  authorityExpiring,
  authorityKeyQuality,
  authorityRevoked,
  deviceAge,
  deviceExpiring,
  deviceKeyQuality,
  deviceRevoked,
  issuerRevoked,
} from './certificates.ts';
import { conflictingClientIds, sharedCertificates } from './connections.ts';
import type { CheckName } from './finding.ts';
import { policiesBy } from './policies.ts';

type Run = (account: AuditedAccount, settings: CheckSettings) => CheckResult;

/** A check that can be run here, and what the audit's role must grant for it. */
export interface Check {
  readonly run: Run;
  readonly actions: readonly string[];
}

const CERTIFICATES = ['iot:ListCertificates', 'iot:DescribeCertificate'];
const AUTHORITIES = ['iot:ListCACertificates', 'iot:DescribeCACertificate'];
const POLICIES = ['iot:ListPolicies', 'iot:GetPolicyVersion'];

const COGNITO = 'it has no Cognito identity pools';
const ROLE_ALIASES = 'it has no credentials provider, so no role aliases';

/** Checks that look at what the laptop has not, and why. */
export const UNAVAILABLE: Readonly<Partial<Record<CheckName, string>>> = {
  AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: COGNITO,
  UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK: COGNITO,
  IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK: ROLE_ALIASES,
  IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK: ROLE_ALIASES,
};

/** @see AWS IoT Device Defender Developer Guide, "Logging disabled" */
const loggingDisabled: Run = ({ accountId, loggingEnabled }) => ({
  total: 1,
  breaches: loggingEnabled
    ? []
    : [
        {
          nonCompliantResource: {
            resourceType: 'ACCOUNT_SETTINGS',
            resourceIdentifier: { account: accountId },
          },
          reasonForNonCompliance: 'Logging is disabled for the account.',
          reasonForNonComplianceCode: 'LOGGING_DISABLED',
        },
      ],
});

/** What there is of Device Defender's checks. */
export const CHECKS: Readonly<Partial<Record<CheckName, Check>>> = {
  CA_CERTIFICATE_EXPIRING_CHECK: { run: authorityExpiring, actions: AUTHORITIES },
  CA_CERTIFICATE_KEY_QUALITY_CHECK: { run: authorityKeyQuality, actions: AUTHORITIES },
  CONFLICTING_CLIENT_IDS_CHECK: { run: conflictingClientIds, actions: [] },
  DEVICE_CERTIFICATE_AGE_CHECK: { run: deviceAge, actions: CERTIFICATES },
  DEVICE_CERTIFICATE_EXPIRING_CHECK: { run: deviceExpiring, actions: CERTIFICATES },
  DEVICE_CERTIFICATE_KEY_QUALITY_CHECK: { run: deviceKeyQuality, actions: CERTIFICATES },
  DEVICE_CERTIFICATE_SHARED_CHECK: { run: sharedCertificates, actions: [] },
  INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK: {
    run: issuerRevoked,
    actions: [...AUTHORITIES, ...CERTIFICATES],
  },
  IOT_POLICY_OVERLY_PERMISSIVE_CHECK: {
    run: policiesBy('IOT_POLICY_OVERLY_PERMISSIVE_CHECK'),
    actions: POLICIES,
  },
  IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK: {
    run: policiesBy('IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK'),
    actions: POLICIES,
  },
  LOGGING_DISABLED_CHECK: { run: loggingDisabled, actions: ['iot:GetV2LoggingOptions'] },
  REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK: { run: authorityRevoked, actions: AUTHORITIES },
  REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK: { run: deviceRevoked, actions: CERTIFICATES },
};
