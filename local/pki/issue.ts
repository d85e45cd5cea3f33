import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { CertificateError, isAcceptedKey, keyType } from './certificate.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequest,
  type PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from './x509.ts';

/** A certificate with its private key, both PEM. Never log one. */
export interface Credential {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** From when until when, milliseconds since the Unix epoch. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Name parts in order, as `[['CN', 't1'], ['O', 'f1']]`: nothing of a value is read as syntax. */
export type NameParts = readonly (readonly [type: string, value: string])[];

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
/** How P-256 keys sign here. */
export const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;
const USAGES = ['sign', 'verify'] as const;

const PRINTABLE = /^[A-Za-z0-9 '()+,./:=?-]*$/;

const nameOf = (parts: NameParts): Name =>
  new Name(
    parts.map(([type, value]) => ({
      [type]: [PRINTABLE.test(value) ? { printableString: value } : { utf8String: value }],
    })),
  );

/** 127 random bits: positive, and not guessable [RFC 5280, 4.1.2.2]. */
const serialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes.toString('hex');
};

export const newKeys = () => webcrypto.subtle.generateKey(P256, true, USAGES);

/** PKCS #8. */
export const privatePem = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();

/** A self-signed authority (P-256) that may sign end certificates and nothing below them. */
export async function createAuthority(subject: NameParts, validity: Validity): Promise<Credential> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: nameOf(subject),
      ...dates(validity),
      keys,
      signingAlgorithm: SIGNING,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificatePem: pemOf(certificate), privateKeyPem: privatePem(keys.privateKey) };
}

const pemOf = (certificate: X509Certificate): string => `${certificate.toString('pem')}\n`;

const dates = ({ notBeforeMs, notAfterMs }: Validity) => ({
  notBefore: new Date(notBeforeMs),
  notAfter: new Date(notAfterMs),
});

interface EndCertificate {
  readonly subject: Name;
  readonly publicKey: webcrypto.CryptoKey | PublicKey;
  readonly validity: Validity;
  readonly extensions: readonly Extension[];
}

async function sign(authority: Credential, end: EndCertificate): Promise<string> {
  const issuer = new X509Certificate(authority.certificatePem);
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: end.subject,
      issuer: issuer.subjectName,
      ...dates(end.validity),
      publicKey: end.publicKey,
      signingKey: await signingKey(authority.privateKeyPem),
      signingAlgorithm: SIGNING,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        await AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        await SubjectKeyIdentifierExtension.create(end.publicKey, false, webcrypto),
        ...end.extensions,
      ],
    },
    webcrypto,
  );
  return pemOf(certificate);
}

const signingKey = (pem: string) => {
  const body = pem.replace(/-----[^-]+-----|\s/g, '');
  return webcrypto.subtle.importKey('pkcs8', Buffer.from(body, 'base64'), P256, false, ['sign']);
};

/** @param names  host names and IP addresses that clients will use */
export async function issueServer(
  authority: Credential,
  names: readonly string[],
  validity: Validity,
): Promise<Credential> {
  const keys = await newKeys();
  const alternative = names.map(
    (value) => ({ type: isAddress(value) ? 'ip' : 'dns', value }) as const,
  );
  const certificatePem = await sign(authority, {
    subject: nameOf([['CN', names[0] ?? 'localhost']]),
    publicKey: keys.publicKey,
    validity,
    extensions: [
      new SubjectAlternativeNameExtension(alternative),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    ],
  });
  return { certificatePem, privateKeyPem: privatePem(keys.privateKey) };
}

const isAddress = (name: string): boolean => /^[\d.]+$|:/.test(name);

const clientOnly = (): Extension => new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]);

/** A client certificate with a new P-256 key. */
export async function issueClient(
  authority: Credential,
  subject: NameParts,
  validity: Validity,
): Promise<Credential> {
  const keys = await newKeys();
  const certificatePem = await sign(authority, {
    subject: nameOf(subject),
    publicKey: keys.publicKey,
    validity,
    extensions: [clientOnly()],
  });
  return { certificatePem, privateKeyPem: privatePem(keys.privateKey) };
}

/** A client certificate with a new RSA key of 2,048 bits, as AWS IoT makes when it makes the key. */
export async function issueRsaClient(
  authority: Credential,
  subject: NameParts,
  validity: Validity,
): Promise<Credential & { readonly publicKeyPem: string }> {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, USAGES);
  const certificatePem = await sign(authority, {
    subject: nameOf(subject),
    publicKey: keys.publicKey,
    validity,
    extensions: [clientOnly()],
  });
  const [publicKey, privateKey] = [keys.publicKey, keys.privateKey].map((key) =>
    KeyObject.from(key),
  );
  return {
    certificatePem,
    publicKeyPem: String(publicKey?.export({ type: 'spki', format: 'pem' })),
    privateKeyPem: String(privateKey?.export({ type: 'pkcs1', format: 'pem' })),
  };
}

/**
 * Signs a PKCS #10 request: its key and, unless another is given, its subject.
 *
 * @throws {CertificateError} when it is no request, its signature does not fit its key, or the key is one that
 *   AWS IoT does not take (RSA of at least 2,048 bits, P-256, P-384, P-521)
 */
export async function signRequest(
  authority: Credential,
  requestPem: string,
  validity: Validity,
  subject?: NameParts,
): Promise<string> {
  const request = decodeRequest(requestPem);
  const type = keyType(new Uint8Array(request.publicKey.rawData));
  if (!isAcceptedKey(type)) throw new CertificateError(`a key of type ${type} is not accepted`);
  if (!(await request.verify(webcrypto)))
    throw new CertificateError("the request's signature does not fit its public key");
  return sign(authority, {
    subject: subject === undefined ? request.subjectName : nameOf(subject),
    publicKey: request.publicKey,
    validity,
    extensions: [clientOnly()],
  });
}

function decodeRequest(pem: string): Pkcs10CertificateRequest {
  if (!/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/.test(pem))
    throw new CertificateError(
      'not a certificate request: no "-----BEGIN CERTIFICATE REQUEST-----"',
    );
  try {
    return new Pkcs10CertificateRequest(
      pem.replaceAll('BEGIN NEW ', 'BEGIN ').replaceAll('END NEW ', 'END '),
    );
  } catch (error) {
    throw new CertificateError(`not a certificate request: ${String(error)}`, { cause: error });
  }
}
