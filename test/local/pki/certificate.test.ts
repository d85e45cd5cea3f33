import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  CertificateError,
  type Credential,
  createAuthority,
  parseCertificate,
  signRequest,
} from '../../../local/pki/index.ts';
import {
  IssuerAlternativeNameExtension,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '../../../local/pki/x509.ts';

const VALIDITY = { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2026, 6, 1) };
const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const SHA256 = { name: 'ECDSA', hash: 'SHA-256' };

const keys = (algorithm: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams) =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

describe('parseCertificate', () => {
  it('tells what policies can ask for', async () => {
    const certificate = await X509CertificateGenerator.createSelfSigned(
      {
        name: 'CN=a, CN=b, O=Example, C=US, ST=NY, 2.5.4.12=RGB, 2.5.4.46=Q1, 2.5.4.5=123',
        serialNumber: '009285cb',
        notBefore: new Date(VALIDITY.notBeforeMs),
        notAfter: new Date(VALIDITY.notAfterMs),
        keys: await keys(P256),
        signingAlgorithm: SHA256,
        extensions: [
          new SubjectAlternativeNameExtension([
            { type: 'dns', value: 'one.test' },
            { type: 'dns', value: 'two.test' },
            { type: 'ip', value: '1.2.3.4' },
            { type: 'email', value: 'd@example.com' },
            { type: 'url', value: 'urn:device:1' },
            { type: 'dn', value: 'C=US, O=IoT, OU=SmartHome, CN=Bulb' },
          ]),
          new IssuerAlternativeNameExtension([{ type: 'dns', value: 'issuer.test' }]),
        ],
      },
      webcrypto,
    );
    const name = {
      CommonName: ['a', 'b'],
      Organization: ['Example'],
      Country: ['US'],
      State: ['NY'],
      Title: ['RGB'],
      DistinguishedNameQualifier: ['Q1'],
      SerialNumber: ['123'],
    };
    const der = new Uint8Array(certificate.rawData);
    const facts = parseCertificate(der);
    expect(facts).toMatchObject({
      certificateId: createHash('sha256').update(der).digest('hex'),
      subject: name,
      issuer: name,
      serialNumber: String(0x9285cb),
      ...VALIDITY,
      subjectAlternativeNames: {
        DNSName: ['one.test', 'two.test'],
        IPAddress: ['1.2.3.4'],
        RFC822Name: ['d@example.com'],
        UniformResourceIdentifier: ['urn:device:1'],
        DirectoryName: ['cn=Bulb,ou=SmartHome,o=IoT,c=US'],
      },
      issuerAlternativeNames: { DNSName: ['issuer.test'] },
    });
    expect(parseCertificate(facts.pem)).toEqual(facts);
    expect(new X509Certificate(facts.pem).fingerprint256.replaceAll(':', '').toLowerCase()).toBe(
      facts.certificateId,
    );
  });

  it.each([
    ['text', 'hello'],
    ['an empty block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----'],
    ['bytes of something else', Uint8Array.of(0x30, 3, 1, 2, 3)],
    ['no bytes', new Uint8Array()],
  ])('refuses %s', (_, encoded) => {
    expect(() => parseCertificate(encoded)).toThrow(CertificateError);
  });
});

describe('signRequest', () => {
  let authority: Credential;
  beforeAll(async () => {
    authority = await createAuthority([['CN', 'CA']], VALIDITY);
  });
  const request = async (algorithm: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams) => {
    const signing = { ...algorithm, hash: 'SHA-256' };
    const made = await Pkcs10CertificateRequestGenerator.create(
      { name: 'CN=wanted', keys: await keys(algorithm), signingAlgorithm: signing },
      webcrypto,
    );
    return made.toString('pem');
  };
  const rsa = (modulusLength: number) => ({
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength,
    publicExponent: Uint8Array.of(1, 0, 1),
  });

  it('keeps subject and key of the request', async () => {
    const pem = await signRequest(authority, await request(P256), VALIDITY);
    expect(parseCertificate(pem)).toMatchObject({
      subject: { CommonName: ['wanted'] },
      issuer: { CommonName: ['CA'] },
      keyType: 'P-256',
    });
  });

  it('gives the subject it is told to give', async () => {
    const pem = await signRequest(authority, await request(P256), VALIDITY, [['CN', 't1']]);
    expect(parseCertificate(pem).subject).toEqual({ CommonName: ['t1'] });
  });

  it('takes RSA of 2,048 bits and refuses less', async () => {
    expect(await signRequest(authority, await request(rsa(2048)), VALIDITY)).toContain(
      'BEGIN CERTIFICATE',
    );
    await expect(signRequest(authority, await request(rsa(1024)), VALIDITY)).rejects.toThrow(
      'a key of type RSA-1024 is not accepted',
    );
  });

  it('refuses a request that its key did not sign', async () => {
    const pem = await request(P256);
    const body = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${body.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
    await expect(signRequest(authority, forged, VALIDITY)).rejects.toThrow(CertificateError);
  });

  it('refuses what is no request', async () => {
    await expect(signRequest(authority, 'hello', VALIDITY)).rejects.toThrow(
      'not a certificate request',
    );
  });
});
