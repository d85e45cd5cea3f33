import { createHash, createPublicKey } from 'node:crypto';
import {
  BasicConstraintsExtension,
  type GeneralName,
  IssuerAlternativeNameExtension,
  Name,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from './x509.ts';

/** Values by the field names that IoT policies use (`CommonName`, `Organization`, …), in the certificate's order. */
export type NameFields = Readonly<Record<string, readonly string[]>>;

/** What a certificate says, in the words of IoT policies. */
export interface CertificateFacts {
  /** SHA-256 of the DER encoding, in hexadecimal: AWS IoT's certificate id. */
  readonly certificateId: string;
  readonly pem: string;
  readonly subject: NameFields;
  readonly issuer: NameFields;
  /** Distinguished names as text, most specific part last. */
  readonly subjectText: string;
  readonly issuerText: string;
  /** A decimal integer. */
  readonly serialNumber: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** By `DNSName`, `IPAddress`, `RFC822Name`, `UniformResourceIdentifier`, `DirectoryName`. */
  readonly subjectAlternativeNames: NameFields;
  readonly issuerAlternativeNames: NameFields;
  readonly isAuthority: boolean;
  /** `RSA-2048`, `P-256`, …: for checks of key quality. */
  readonly keyType: string;
}

/** Bytes or text that are not a certificate (or request) in PEM or DER. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

const NAME_OIDS: Readonly<Record<string, string>> = {
  CommonName: '2.5.4.3',
  Surname: '2.5.4.4',
  SerialNumber: '2.5.4.5',
  Country: '2.5.4.6',
  State: '2.5.4.8',
  Organization: '2.5.4.10',
  OrganizationalUnit: '2.5.4.11',
  Title: '2.5.4.12',
  GivenName: '2.5.4.42',
  Initials: '2.5.4.43',
  GenerationQualifier: '2.5.4.44',
  DistinguishedNameQualifier: '2.5.4.46',
  Pseudonym: '2.5.4.65',
};

const ALTERNATIVE_TYPES: Readonly<Record<string, string>> = {
  dns: 'DNSName',
  ip: 'IPAddress',
  email: 'RFC822Name',
  url: 'UniformResourceIdentifier',
  dn: 'DirectoryName',
};

/**
 * Reads one certificate.
 *
 * @param encoded  PEM text or DER bytes
 * @throws {CertificateError} when it is neither
 */
export function parseCertificate(encoded: string | Uint8Array): CertificateFacts {
  const certificate = decode(encoded);
  return {
    certificateId: createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex'),
    pem: `${certificate.toString('pem')}\n`,
    subject: fieldsOf(certificate.subjectName),
    issuer: fieldsOf(certificate.issuerName),
    subjectText: certificate.subject,
    issuerText: certificate.issuer,
    serialNumber: BigInt(`0x${certificate.serialNumber}`).toString(),
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
    subjectAlternativeNames: alternatives(
      certificate.getExtension(SubjectAlternativeNameExtension)?.names.items,
    ),
    issuerAlternativeNames: alternatives(
      certificate.getExtension(IssuerAlternativeNameExtension)?.names.items,
    ),
    isAuthority: certificate.getExtension(BasicConstraintsExtension)?.ca ?? false,
    keyType: keyType(new Uint8Array(certificate.publicKey.rawData)),
  };
}

function decode(encoded: string | Uint8Array): X509Certificate {
  if (typeof encoded === 'string' && !encoded.includes('-----BEGIN CERTIFICATE-----'))
    throw new CertificateError('not a certificate: no "-----BEGIN CERTIFICATE-----" in the text');
  try {
    return new X509Certificate(typeof encoded === 'string' ? encoded : new Uint8Array(encoded));
  } catch (error) {
    throw new CertificateError(`not a certificate: ${String(error)}`, { cause: error });
  }
}

function fieldsOf(name: Name): NameFields {
  const entries = Object.entries(NAME_OIDS).map(
    ([field, oid]) => [field, name.getField(oid)] as const,
  );
  return Object.fromEntries(entries.filter(([, values]) => values.length > 0));
}

function alternatives(names: readonly GeneralName[] = []): NameFields {
  const found: Record<string, string[]> = {};
  for (const { type, value } of names) {
    const field = ALTERNATIVE_TYPES[type];
    if (field === undefined) continue;
    found[field] = [
      ...(found[field] ?? []),
      field === 'DirectoryName' ? directoryName(value) : value,
    ];
  }
  return found;
}

/** Most specific part first, types in small letters, as the guide prints them. */
const directoryName = (text: string): string =>
  new Name(text)
    .toJSON()
    .flatMap((part) => Object.entries(part))
    .toReversed()
    .map(([type, values]) => `${type.toLowerCase()}=${values[0] ?? ''}`)
    .join(',');

/** @param spki  DER of a SubjectPublicKeyInfo */
export function keyType(spki: Uint8Array): string {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const curves: Readonly<Record<string, string>> = {
    prime256v1: 'P-256',
    secp384r1: 'P-384',
    secp521r1: 'P-521',
  };
  if (modulusLength !== undefined) return `RSA-${modulusLength}`;
  return curves[namedCurve ?? ''] ?? namedCurve ?? key.asymmetricKeyType ?? 'unknown';
}

const CURVES: ReadonlySet<string> = new Set(['P-256', 'P-384', 'P-521']);
const LEAST_RSA_BITS = 2048;

/** Whether AWS IoT takes certificates with such a key. @param type  as `keyType` tells it */
export const isAcceptedKey = (type: string): boolean =>
  CURVES.has(type) ||
  (type.startsWith('RSA-') && Number(type.slice('RSA-'.length)) >= LEAST_RSA_BITS);

/** Whether `issuer`'s key signed the certificate and may sign certificates at all. Validity is not looked at. */
export async function isSignedBy(certificatePem: string, issuerPem: string): Promise<boolean> {
  const [certificate, issuer] = [decode(certificatePem), decode(issuerPem)];
  const may = issuer.getExtension(BasicConstraintsExtension)?.ca ?? false;
  if (!may || certificate.issuer !== issuer.subject) return false;
  return certificate.verify({ publicKey: issuer, signatureOnly: true });
}
