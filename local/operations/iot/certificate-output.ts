import type { Authority, Certificate } from '../../core/registry/index.ts';
import type { CertificateFacts } from '../../pki/index.ts';
import type { Registry } from '../../stores/registry.ts';
import { seconds } from './iot-call.ts';

/** Answer of the calls that issue a certificate. */
export const issuedAnswer = (registry: Registry, { certificateId, pem }: CertificateFacts) => ({
  ...registeredAnswer(registry, certificateId),
  certificatePem: pem,
});

/** Answer of the calls that take one in. */
export const registeredAnswer = (registry: Registry, certificateId: string) => ({
  certificateArn: registry.arn.certificate(certificateId),
  certificateId,
});

/** What both descriptions, of a device certificate and of an authority, say. */
export const describedCertificate = (certificate: Certificate | Authority, ownedBy: string) => ({
  certificateArn: certificate.arn,
  certificateId: certificate.certificateId,
  status: certificate.status,
  certificatePem: certificate.pem,
  ownedBy,
  creationDate: seconds(certificate.createdMs),
  lastModifiedDate: seconds(certificate.changedMs),
  customerVersion: certificate.version,
  generationId: certificate.generationId,
  validity: {
    notBefore: seconds(certificate.notBeforeMs),
    notAfter: seconds(certificate.notAfterMs),
  },
  certificateMode: certificate.certificateMode,
});
