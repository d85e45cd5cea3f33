import { KeyObject, webcrypto } from 'node:crypto';
import { Name, Pkcs10CertificateRequestGenerator } from './x509.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

/**
 * A P-256 key made here, and a PKCS #10 request for it: CN = thing, O = fleet. Both PEM; never log the key.
 *
 * @see RFC 2986
 */
export async function createRequest({
  thing,
  fleet,
}: {
  readonly thing: string;
  readonly fleet: string;
}): Promise<{ readonly requestPem: string; readonly privateKeyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: new Name([{ CN: [thing] }, { O: [fleet] }]), keys, signingAlgorithm: SIGNING },
    webcrypto,
  );
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { requestPem: request.toString('pem'), privateKeyPem: key.toString() };
}
