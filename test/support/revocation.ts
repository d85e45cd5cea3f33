import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import {
  CRLDistributionPointsExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';
import type { Credential, Validity } from '../../local/pki/index.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

const signingKey = ({ privateKeyPem }: Credential) =>
  webcrypto.subtle.importKey(
    'pkcs8',
    Buffer.from(privateKeyPem.replace(/-----[^-]+-----|\s/g, ''), 'base64'),
    P256,
    false,
    ['sign'],
  );

/** A client certificate that says where its issuer's list of revoked certificates is. */
export async function certificateWithList(
  issuer: Credential,
  name: string,
  { notBeforeMs, notAfterMs }: Validity,
  url: string,
): Promise<{ readonly pem: string; readonly serialNumber: string }> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.create(
    {
      subject: `CN=${name}`,
      issuer: new X509Certificate(issuer.certificatePem).subjectName,
      notBefore: new Date(notBeforeMs),
      notAfter: new Date(notAfterMs),
      publicKey: keys.publicKey,
      signingKey: await signingKey(issuer),
      signingAlgorithm: SIGNING,
      extensions: [new CRLDistributionPointsExtension([url])],
    },
    webcrypto,
  );
  return { pem: `${certificate.toString('pem')}\n`, serialNumber: certificate.serialNumber };
}

/** DER of a list that names certificates by their serial numbers, in hexadecimal. */
export async function revocationList(
  issuer: Credential,
  serialNumbers: readonly string[],
  nowMs: number,
): Promise<Uint8Array> {
  const list = await X509CrlGenerator.create(
    {
      issuer: new X509Certificate(issuer.certificatePem).subjectName,
      thisUpdate: new Date(nowMs),
      nextUpdate: new Date(nowMs + 86_400_000),
      entries: serialNumbers.map((serialNumber) => ({
        serialNumber,
        revocationDate: new Date(nowMs),
      })),
      signingKey: await signingKey(issuer),
      signingAlgorithm: SIGNING,
    },
    webcrypto,
  );
  return new Uint8Array(list.rawData);
}
