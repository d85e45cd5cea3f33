import { RegistryError } from '../../core/registry/index.ts';
import { type CertificateFacts, isAcceptedKey, parseCertificate } from '../../pki/index.ts';

/**
 * A certificate that somebody brings, be it of a device or of an authority.
 *
 * @throws {CertificateError} for what is no certificate
 * @throws {RegistryError} `CertificateValidationException` for a key that AWS IoT does not take
 * @see AWS IoT Core Developer Guide, "X.509 client certificates"
 */
export function parseRegistrable(pem: string): CertificateFacts {
  const reading = parseCertificate(pem);
  if (isAcceptedKey(reading.keyType)) return reading;
  throw new RegistryError(
    'CertificateValidationException',
    `a key of type ${reading.keyType} is not accepted: RSA of 2,048 bits or more, P-256, P-384 or P-521 is`,
  );
}
