import type { X509Certificate } from 'node:crypto';
import { parseCertificate } from '../../pki/index.ts';
import type { Registry } from '../../stores/registry.ts';
import { certificateIdOf, isIssuedBy } from './certificate.ts';

export interface JustInTimeOptions {
  readonly registry: Pick<Registry, 'certificate' | 'addCertificate' | 'listAuthorities'>;
  readonly accountId: string;
  readonly now: () => number;
}

/** What subscribers and rules hear of a certificate that waits to be let in. */
export interface Announcement {
  readonly topic: string;
  readonly body: object;
}

/**
 * Just-in-time registration: a certificate that an active authority with auto-registration signed, and that was never
 * seen before, is registered as PENDING_ACTIVATION; its device is refused, and announced at each try until somebody
 * sets the certificate ACTIVE.
 *
 * @returns the announcement; nothing for a certificate that has another state, or no such authority
 * @see AWS IoT Core Developer Guide, "Register a client certificate when the client connects (JITR)"
 */
export const justInTime =
  ({ registry, accountId, now }: JustInTimeOptions) =>
  (certificate: X509Certificate): Announcement | undefined => {
    const certificateId = certificateIdOf(certificate);
    const known = registry.certificate(certificateId);
    const authority = registry
      .listAuthorities()
      .filter(({ status, autoRegistration }) => status === 'ACTIVE' && autoRegistration)
      .find(({ pem }) => isIssuedBy(certificate, pem));
    if (authority === undefined) return undefined;
    const status = 'PENDING_ACTIVATION';
    const { certificateId: caCertificateId, certificateMode } = authority;
    const waiting =
      known ??
      registry.addCertificate({
        ...{ reading: parseCertificate(certificate.toString()), status },
        ...{ caCertificateId, certificateMode },
      });
    if (waiting.status !== status) return undefined;
    return {
      topic: `$aws/events/certificates/registered/${caCertificateId}`,
      body: {
        certificateId,
        caCertificateId,
        timestamp: now(),
        certificateStatus: status,
        awsAccountId: accountId,
        certificateRegistrationTimestamp: String(waiting.createdMs),
      },
    };
  };
