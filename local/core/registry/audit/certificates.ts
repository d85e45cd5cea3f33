import type {
  AuditedAccount,
  AuditedAuthority,
  AuditedCertificate,
  CheckResult,
  CheckSettings,
} from './account.ts';
import type { AuditedResource, Breach } from './finding.ts';
import { isRocaModulus } from './roca.ts';

const DAY_MS = 86_400_000;

const inUse = <T extends AuditedCertificate>(certificates: readonly T[]): readonly T[] =>
  certificates.filter(({ status }) => status === 'ACTIVE' || status === 'PENDING_TRANSFER');

const device = ({ certificateId }: AuditedCertificate): AuditedResource => ({
  resourceType: 'DEVICE_CERTIFICATE',
  resourceIdentifier: { deviceCertificateId: certificateId },
});

const authority = ({ certificateId }: AuditedCertificate): AuditedResource => ({
  resourceType: 'CA_CERTIFICATE',
  resourceIdentifier: { caCertificateId: certificateId },
});

type Reason = readonly [code: string, text: string] | undefined;

/** Holds each certificate in use against one question. */
function each<T extends AuditedCertificate>(
  certificates: readonly T[],
  resource: (certificate: T) => AuditedResource,
  reasonOf: (certificate: T) => Reason,
): CheckResult {
  const audited = inUse(certificates);
  const breaches = audited.flatMap((certificate): Breach[] => {
    const reason = reasonOf(certificate);
    if (reason === undefined) return [];
    const [reasonForNonComplianceCode, reasonForNonCompliance] = reason;
    const nonCompliantResource = resource(certificate);
    return [{ nonCompliantResource, reasonForNonCompliance, reasonForNonComplianceCode }];
  });
  return { total: audited.length, breaches };
}

const expiry =
  (nowMs: number, { expirationDays }: CheckSettings) =>
  ({ notAfterMs }: AuditedCertificate): Reason => {
    if (notAfterMs <= nowMs)
      return ['CERTIFICATE_PAST_EXPIRATION', `Certificate expired on ${day(notAfterMs)}.`];
    return notAfterMs <= nowMs + expirationDays * DAY_MS
      ? ['CERTIFICATE_APPROACHING_EXPIRATION', `Certificate expires on ${day(notAfterMs)}.`]
      : undefined;
  };

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** @see AWS IoT Device Defender Developer Guide, "Device certificate expiring" */
export const deviceExpiring = (
  { certificates, nowMs }: AuditedAccount,
  settings: CheckSettings,
): CheckResult => each(certificates, device, expiry(nowMs, settings));

/** @see AWS IoT Device Defender Developer Guide, "CA certificate expiring" */
export const authorityExpiring = (
  { authorities, nowMs }: AuditedAccount,
  settings: CheckSettings,
): CheckResult => each(authorities, authority, expiry(nowMs, settings));

/** @see AWS IoT Device Defender Developer Guide, "Device certificate age" */
export const deviceAge = (
  { certificates, nowMs }: AuditedAccount,
  { ageDays }: CheckSettings,
): CheckResult =>
  each(certificates, device, ({ createdMs }) =>
    nowMs - createdMs >= ageDays * DAY_MS
      ? ['CERTIFICATE_PAST_AGE_THRESHOLD', `Certificate is in use since ${day(createdMs)}.`]
      : undefined,
  );

const weakKey = ({ rsaModulus }: AuditedCertificate): Reason =>
  rsaModulus !== undefined && isRocaModulus(rsaModulus)
    ? [
        'CERTIFICATE_KEY_VULNERABILITY_CVE-2017-15361',
        'The key was made by a library whose keys can be factored.',
      ]
    : undefined;

/** @see AWS IoT Device Defender Developer Guide, "Device certificate key quality" */
export const deviceKeyQuality = ({ certificates }: AuditedAccount): CheckResult =>
  each(certificates, device, weakKey);

/** @see AWS IoT Device Defender Developer Guide, "CA certificate key quality" */
export const authorityKeyQuality = ({ authorities }: AuditedAccount): CheckResult =>
  each(authorities, authority, weakKey);

const revoked = ({ revoked: isRevoked }: AuditedCertificate): Reason =>
  isRevoked === true
    ? ['CERTIFICATE_REVOKED_BY_ISSUER', "The issuer's revocation list names the certificate."]
    : undefined;

/** @see AWS IoT Device Defender Developer Guide, "Revoked device certificate still active" */
export const deviceRevoked = ({ certificates }: AuditedAccount): CheckResult =>
  each(certificates, device, revoked);

/** @see AWS IoT Device Defender Developer Guide, "Revoked CA certificate still active" */
export const authorityRevoked = ({ authorities }: AuditedAccount): CheckResult =>
  each(authorities, authority, revoked);

/**
 * An issuer that is not its own, and was revoked by who issued it, with devices that still use what it signed.
 *
 * @see AWS IoT Device Defender Developer Guide, "Intermediate CA revoked for active device certificates"
 */
export function issuerRevoked({ certificates, authorities }: AuditedAccount): CheckResult {
  const intermediates = authorities.filter(({ subject, issuer }) => subject !== issuer);
  const users = (id: string) =>
    inUse(certificates).filter(({ caCertificateId }) => caCertificateId === id);
  const breaches = intermediates
    .filter((one) => one.revoked === true && users(one.certificateId).length > 0)
    .map(
      (one): Breach => ({
        nonCompliantResource: issuerOf(one),
        relatedResources: users(one.certificateId).map(device),
        reasonForNonCompliance: 'The issuer was revoked, and certificates of its are in use.',
        reasonForNonComplianceCode: 'INTERMEDIATE_CA_REVOKED_BY_ISSUER',
      }),
    );
  return { total: intermediates.length, breaches };
}

const issuerOf = ({ certificateId, subject, serialNumber }: AuditedAuthority): AuditedResource => ({
  resourceType: 'ISSUER_CERTIFICATE',
  resourceIdentifier: {
    issuerCertificateIdentifier: {
      issuerCertificateSubject: subject,
      issuerId: certificateId,
      issuerCertificateSerialNumber: serialNumber,
    },
  },
});
