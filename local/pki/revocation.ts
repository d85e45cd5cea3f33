import { webcrypto } from 'node:crypto';
import { CRLDistributionPointsExtension, X509Certificate, X509Crl } from './x509.ts';

/**
 * Where the issuer of a certificate says what it has revoked: the `http` addresses of its lists.
 *
 * @see RFC 5280, 4.2.1.13
 */
export function revocationListsOf(pem: string): readonly string[] {
  const points = new X509Certificate(pem).getExtension(CRLDistributionPointsExtension);
  return (points?.distributionPoints ?? []).flatMap(
    ({ distributionPoint }) =>
      distributionPoint?.fullName?.flatMap(({ uniformResourceIdentifier }) =>
        uniformResourceIdentifier === undefined ? [] : [uniformResourceIdentifier],
      ) ?? [],
  );
}

/**
 * Whether a list, DER or PEM, names the certificate. A list that another than the certificate's issuer made says
 * nothing of it.
 *
 * @param issuerPem  the authority, where it is known: the list must carry its signature
 * @throws {Error} for what is no list, is of somebody else, or is not signed by the issuer
 */
export async function isRevokedBy(
  list: Uint8Array,
  pem: string,
  issuerPem: string | undefined,
): Promise<boolean> {
  const crl = new X509Crl(new Uint8Array(list));
  const certificate = new X509Certificate(pem);
  // without it the library takes the list for an empty one
  if (crl.nextUpdate === undefined) throw new Error('it has no nextUpdate [RFC 5280, 5.1.2.5]');
  if (crl.issuer !== certificate.issuer) throw new Error(`it is a list of ${crl.issuer}`);
  if (issuerPem !== undefined) {
    const publicKey = new X509Certificate(issuerPem).publicKey;
    if (!(await crl.verify({ publicKey }, webcrypto)))
      throw new Error('its issuer did not sign it');
  }
  const wanted = numberOf(certificate.serialNumber);
  return crl.entries.some(({ serialNumber }) => numberOf(serialNumber) === wanted);
}

/** Leading zeros are written by one and left out by the other. */
const numberOf = (hex: string): bigint => BigInt(`0x${hex}`);
