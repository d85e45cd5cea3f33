import { webcrypto } from 'node:crypto';
import { newKeys, privatePem, SIGNING } from './issue.ts';
import { Name, Pkcs10CertificateRequestGenerator } from './x509.ts';

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
  const keys = await newKeys();
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: new Name([{ CN: [thing] }, { O: [fleet] }]), keys, signingAlgorithm: SIGNING },
    webcrypto,
  );
  return { requestPem: request.toString('pem'), privateKeyPem: privatePem(keys.privateKey) };
}
