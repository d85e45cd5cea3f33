import {
  constants,
  createHmac,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
} from 'node:crypto';
import { Issuer } from '../../shared/core/access/issuer.ts';

/** 2026-09-21T14:13:20Z: when it is in tests of tokens. */
export const NOW_MS = 1_790_000_000_000;
export const NOW_SECONDS = NOW_MS / 1000;

export const ISSUER_NAME = 'https://issuer.example/pool-1';

/** An issuer as a stage would configure it, its keys at that URL. */
export const issuerAt = (keysUrl: string, change: Partial<Issuer> = {}): Issuer =>
  Issuer.parse({
    issuer: ISSUER_NAME,
    keysUrl,
    audiences: ['tributary', 'tributary-tools'],
    algorithms: ['RS256', 'ES256'],
    ...change,
  });

export const goodClaims = (change: Readonly<Record<string, unknown>> = {}) => ({
  iss: ISSUER_NAME,
  sub: '7d5f6f0e-6a3c-4bd0-9df2-3b0f7f6f7d20',
  aud: 'tributary',
  token_use: 'access',
  iat: NOW_SECONDS - 60,
  exp: NOW_SECONDS + 3_600,
  'custom:thing': 'probe-1',
  'custom:fleet': 'acme',
  ...change,
});

export interface Signer {
  readonly kid: string;
  readonly algorithm: 'RS256' | 'ES256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JsonWebKey & { readonly kid: string };
}

const PAIRS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

export function newSigner(kid: string, algorithm: Signer['algorithm'] = 'RS256'): Signer {
  const { privateKey, publicKey } = PAIRS[algorithm]();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, privateKey, publicKey, jwk };
}

export const base64url = (text: string | Uint8Array): string =>
  Buffer.from(text).toString('base64url');

/** Signs whatever text there is: header and claims are not looked at. */
export function signText(input: string, { algorithm, privateKey }: Signer): string {
  const key = algorithm === 'ES256' ? { key: privateKey, dsaEncoding: 'ieee-p1363' } : privateKey;
  return base64url(sign('sha256', Buffer.from(input), key as Parameters<typeof sign>[2]));
}

/** RSASSA-PSS over the same text, where an RSA key is used for another algorithm than its own. */
export const signPss = (input: string, { privateKey }: Signer): string =>
  base64url(
    sign('sha256', Buffer.from(input), {
      key: privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    }),
  );

export const signHmac = (input: string, secret: string | Uint8Array): string =>
  base64url(createHmac('sha256', secret).update(input).digest());

/** Header and claims as they are given, texts as they are written. */
export const unsigned = (header: object | string, claims: object | string): string =>
  [header, claims]
    .map((part) => base64url(typeof part === 'string' ? part : JSON.stringify(part)))
    .join('.');

export const signed = (header: object | string, claims: object | string, signer: Signer): string =>
  [unsigned(header, claims)].map((input) => `${input}.${signText(input, signer)}`).join('');

export const goodHeader = ({ algorithm, kid }: Signer) => ({ alg: algorithm, kid, typ: 'JWT' });

/** A token that is taken, but for what is changed in its claims. */
export const tokenOf = (signer: Signer, claims: Readonly<Record<string, unknown>> = {}): string =>
  signed(goodHeader(signer), goodClaims(claims), signer);
