import { KeyObject, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '../../../../local/pki/x509.ts';

/** A certificate request as a device makes it, with the public half of its key. */
export async function deviceRequest(commonName: string) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: [{ CN: [commonName] }], keys, signingAlgorithm: algorithm },
    webcrypto,
  );
  const publicKeyPem = String(
    KeyObject.from(keys.publicKey).export({ type: 'spki', format: 'pem' }),
  );
  return { request: request.toString('pem'), publicKeyPem };
}
