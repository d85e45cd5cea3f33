import { X509Certificate } from 'node:crypto';
import type { RegistryView } from './registry-view.ts';

export type CertificateProblem =
  | 'NO_CERTIFICATE'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'UNKNOWN_ISSUER'
  | 'NOT_REGISTERED'
  | 'INACTIVE'
  | 'REVOKED'
  | 'PENDING_ACTIVATION';

/** What a peer showed in its handshake, held against the registry. */
export type CertificateVerdict =
  | { readonly ok: true; readonly certificateId: string; readonly certificate: X509Certificate }
  | {
      readonly ok: false;
      readonly reason: CertificateProblem;
      /** What is wrong and what would be right; the client is told nothing of it. */
      readonly explanation: string;
      readonly certificateId?: string;
      readonly subject?: string;
    };

/** AWS's id of a certificate: SHA-256 of its DER, in lower-case hex. */
export const certificateIdOf = (certificate: X509Certificate): string =>
  certificate.fingerprint256.replaceAll(':', '').toLowerCase();

/**
 * A client certificate is let in when it is in its time, registered and ACTIVE. The TLS handshake has
 * already proven that the peer holds its key. One that was registered without its CA needs no known
 * issuer; one that is not registered is told apart by whether a known CA made it.
 *
 * @param nowMs  milliseconds since the epoch, against which validity is held
 */
export function checkCertificate(
  certificate: X509Certificate | undefined,
  registry: RegistryView,
  nowMs: number,
): CertificateVerdict {
  if (certificate === undefined) {
    return {
      ok: false,
      reason: 'NO_CERTIFICATE',
      explanation: 'sent no client certificate; connect with the certificate and key of a device',
    };
  }
  const certificateId = certificateIdOf(certificate);
  const found = validityProblem(certificate, nowMs) ?? registryProblem(certificate, registry);
  if (found === undefined) return { ok: true, certificateId, certificate };
  const [reason, explanation] = found;
  return { ok: false, reason, explanation, certificateId, subject: oneLine(certificate.subject) };
}

type Found = readonly [CertificateProblem, string];

const oneLine = (name: string): string => name.replaceAll('\n', ', ');

function validityProblem(certificate: X509Certificate, nowMs: number): Found | undefined {
  const { validFromDate, validToDate } = certificate;
  if (nowMs < validFromDate.getTime()) {
    return [
      'NOT_YET_VALID',
      `certificate is valid from ${validFromDate.toISOString()}; check the clock it was made by`,
    ];
  }
  if (nowMs <= validToDate.getTime()) return undefined;
  return ['EXPIRED', `certificate ended on ${validToDate.toISOString()}; make a new one`];
}

function registryProblem(certificate: X509Certificate, registry: RegistryView): Found | undefined {
  const status = registry.certificate(certificateIdOf(certificate))?.status;
  switch (status) {
    case 'ACTIVE':
      return undefined;
    case undefined:
      return unregistered(certificate, registry);
    case 'REVOKED':
      return ['REVOKED', 'certificate is REVOKED in the registry; make a new one'];
    case 'PENDING_ACTIVATION':
      return [
        'PENDING_ACTIVATION',
        'certificate is PENDING_ACTIVATION in the registry; it has to be set ACTIVE first',
      ];
    default:
      return ['INACTIVE', `certificate is ${status} in the registry; set it ACTIVE to let it in`];
  }
}

function unregistered(certificate: X509Certificate, registry: RegistryView): Found {
  const issued = registry.caCertificates().some((pem) => isIssuedBy(certificate, pem));
  if (issued) {
    return [
      'NOT_REGISTERED',
      'certificate is of a known CA but not in the registry; register it and set it ACTIVE',
    ];
  }
  const issuer = oneLine(certificate.issuer);
  return [
    'UNKNOWN_ISSUER',
    `certificate is not in the registry, and its issuer (${issuer}) is none of the registered CAs`,
  ];
}

/** By name and by signature: another CA may well carry the same name. */
export function isIssuedBy(certificate: X509Certificate, caPem: string): boolean {
  try {
    const ca = new X509Certificate(caPem);
    return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
  } catch {
    return false;
  }
}
