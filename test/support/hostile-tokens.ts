import {
  base64url,
  goodClaims,
  goodHeader,
  ISSUER_NAME,
  NOW_SECONDS,
  type Signer,
  signed,
  signHmac,
  signPss,
  signText,
  tokenOf,
  unsigned,
} from './tokens.ts';

export interface Keys {
  /** Whose keys the issuer publishes. */
  readonly rsa: Signer;
  readonly ec: Signer;
  /** Nobody's. */
  readonly stranger: Signer;
  /** Where an attacker would have his own key fetched from. */
  readonly strangerUrl: string;
}

export interface HostileToken {
  readonly kind: string;
  readonly text: string;
}

/** A word that stands in each of the tokens, and must be in no log. */
export const CANARY = 'canary-7f3b9d';

/**
 * Tokens that must not be taken; those with a wrong claim are signed by the issuer itself.
 *
 * @param now  when they are shown, in seconds since the Unix epoch
 */
export function hostileTokens(
  { rsa, ec, stranger, strangerUrl }: Keys,
  now = NOW_SECONDS,
): readonly HostileToken[] {
  const header = goodHeader(rsa);
  const beyond = { canary: CANARY, iat: now - 60, exp: now + 3_600 };
  const claims = goodClaims(beyond);
  const good = signed(header, claims, rsa);
  const [head = '', body = '', signature = ''] = good.split('.');
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const der = rsa.publicKey.export({ type: 'spki', format: 'der' });
  const hs = unsigned({ ...header, alg: 'HS256' }, claims);

  const withHeader = (change: object | string, by = rsa): string =>
    signed(typeof change === 'string' ? change : { ...header, ...change }, claims, by);
  const withClaims = (change: Readonly<Record<string, unknown>>): string =>
    tokenOf(rsa, { ...beyond, ...change });
  const withText = (text: string): string => signed(header, text, rsa);
  const claimsText = JSON.stringify(claims);
  const raw = (from: string, to: string): string => withText(claimsText.replace(from, to));
  const exp = `"exp":${now + 3_600}`;
  const resigned = (header: object, input = unsigned(header, claims)): string =>
    `${input}.${signText(input, stranger)}`;

  const kinds: Readonly<Record<string, string>> = {
    // algorithm
    'alg none': `${unsigned({ ...header, alg: 'none' }, claims)}.`,
    'alg none with a signature': `${unsigned({ ...header, alg: 'none' }, claims)}.${signature}`,
    'alg None': `${unsigned({ ...header, alg: 'None' }, claims)}.${signature}`,
    'alg NONE': `${unsigned({ ...header, alg: 'NONE' }, claims)}.${signature}`,
    'alg empty': withHeader({ alg: '' }),
    'alg absent': withHeader({ alg: undefined }),
    'alg null': withHeader({ alg: null }),
    'alg a list': withHeader({ alg: ['RS256'] }),
    'alg in lower case': withHeader({ alg: 'rs256' }),
    'alg RS384 over an RS256 key': withHeader({ alg: 'RS384' }),
    'HS256 keyed with the public key as PEM': `${hs}.${signHmac(hs, pem)}`,
    'HS256 keyed with the public key as DER': `${hs}.${signHmac(hs, der)}`,
    'HS256 keyed with the modulus': `${hs}.${signHmac(hs, String(rsa.jwk.n))}`,
    'HS256 keyed with nothing': `${hs}.${signHmac(hs, '')}`,
    'PS256 over the RSA key': ((input) => `${input}.${signPss(input, rsa)}`)(
      unsigned({ ...header, alg: 'PS256' }, claims),
    ),
    'ES256 named, signed by RSA': withHeader({ alg: 'ES256' }),
    'RS256 named, key of ES256': withHeader({ kid: ec.kid }, ec),
    // key
    'kid absent': withHeader({ kid: undefined }),
    'kid empty': withHeader({ kid: '' }),
    'kid a list': withHeader({ kid: [rsa.kid] }),
    'kid a number': withHeader({ kid: 1 }),
    'kid a path': withHeader({ kid: '../../../../dev/null' }),
    'kid a query': withHeader({ kid: "x' UNION SELECT 'AAAA" }),
    'kid of Object.prototype': withHeader({ kid: '__proto__' }),
    'kid unknown': withHeader({ kid: 'key-of-nobody' }),
    'kid of another key': withHeader({ kid: ec.kid, alg: 'ES256' }),
    'kid of 300 characters': withHeader({ kid: 'k'.repeat(300) }),
    'jwk embedded, signed by it': resigned({ ...header, jwk: stranger.jwk }),
    'jku to the key, signed by it': resigned({ ...header, jku: strangerUrl }),
    'x5u to the key, signed by it': resigned({ ...header, x5u: strangerUrl }),
    'x5c embedded, signed by it': resigned({ ...header, x5c: [base64url('certificate')] }),
    'jku beside a good signature': withHeader({ jku: strangerUrl }),
    'kid that is a URL': resigned({ ...header, kid: strangerUrl }),
    // header
    'crit with an unknown name': withHeader({ crit: ['exp'] }),
    'crit empty': withHeader({ crit: [] }),
    'b64 false': withHeader({ b64: false, crit: ['b64'] }),
    'zip DEF': withHeader({ zip: 'DEF' }),
    'enc of an encrypted token': withHeader({ enc: 'A256GCM' }),
    'typ of a proof of possession': withHeader({ typ: 'dpop+jwt' }),
    'typ of a logout': withHeader({ typ: 'logout+jwt' }),
    'typ a number': withHeader({ typ: 1 }),
    'header a list': withHeader('["RS256"]'),
    'header null': withHeader('null'),
    'header with alg twice': withHeader(`{"alg":"none","alg":"RS256","kid":"${rsa.kid}"}`),
    'header with a comment': withHeader(`{"alg":"RS256",/**/"kid":"${rsa.kid}"}`),
    'header not JSON': withHeader('alg=RS256'),
    // signature
    'no signature': `${head}.${body}.`,
    'no signature and no dot': `${head}.${body}`,
    'signature of another token': `${head}.${body}.${tokenOf(rsa, { ...beyond, sub: 'b' }).split('.')[2]}`,
    'signature cut short': `${head}.${body}.${signature.slice(0, -4)}`,
    'signature with a bit turned': `${head}.${body}.${turn(signature)}`,
    'signature of zeros': `${head}.${body}.${'A'.repeat(342)}`,
    'signature by a stranger': signed(header, claims, stranger),
    'ES256 signature of zeros': `${unsigned(goodHeader(ec), claims)}.${base64url(new Uint8Array(64))}`,
    'ES256 signature in DER': derSigned(ec, claims),
    'claims changed behind the signature': `${head}.${base64url(claimsText.replace('probe-1', 'probe-2'))}.${signature}`,
    // form
    empty: ' ',
    'two dots': '..',
    'four parts': `${good}.${signature}`,
    'five parts, as of an encrypted token': `${head}.${body}.${signature}.${body}.${signature}`,
    'JSON serialization': JSON.stringify({ protected: head, payload: body, signature }),
    'padding behind the signature': `${good}==`,
    'other bits behind the signature': `${head}.${body}.${otherBits(signature)}`,
    'white space behind': `${good}\n`,
    'white space before': ` ${good}`,
    'white space inside the signature': `${head}.${body}.${signature.slice(0, 8)} ${signature.slice(8)}`,
    'base64 instead of base64url': `${head}.${Buffer.from(`${claimsText}???>>>`).toString('base64')}.${signature}`,
    'a NUL behind': `${good}\u0000`,
    'a Bearer before': `Bearer ${good}`,
    'longer than 8 KB': withClaims({ padding: 'p'.repeat(8_192) }),
    '64 KB': withClaims({ padding: 'p'.repeat(65_536) }),
    'claims not UTF-8': invalidUtf8(header, claims, rsa),
    'claims with a byte order mark': withText(`\ufeff${claimsText}`),
    'claims a list': withText(`[${claimsText}]`),
    'claims a text': withText('"probe-1"'),
    'claims empty': withText('{}'),
    'claims nested deeply': withText(
      `${claimsText.slice(0, -1)},"x":${'['.repeat(500)}${']'.repeat(500)}}`,
    ),
    'iss twice': raw('"iss"', '"iss":"https://evil.example","iss"'),
    'exp twice': raw('"exp"', '"exp":1,"exp"'),
    'thing twice': raw('"custom:thing"', '"custom:thing":"probe-2","custom:thing"'),
    'thing twice, once escaped': raw(
      '"custom:thing"',
      '"custom:th\\u0069ng":"probe-2","custom:thing"',
    ),
    // time
    'exp absent': withClaims({ exp: undefined }),
    'exp over': withClaims({ exp: now - 1 }),
    'exp now': withClaims({ exp: now }),
    'exp a text': withClaims({ exp: String(now + 3_600) }),
    'exp null': withClaims({ exp: null }),
    'exp 1e400': raw(exp, '"exp":1e400'),
    'exp a fraction': withClaims({ exp: now + 0.5 }),
    'exp in milliseconds': withClaims({ exp: (now + 3_600) * 1000 }),
    'exp negative': withClaims({ exp: -1 }),
    'exp a list': withClaims({ exp: [now + 3_600] }),
    'exp true': withClaims({ exp: true }),
    'iat absent': withClaims({ iat: undefined }),
    'iat a text': withClaims({ iat: String(now) }),
    'iat in the future': withClaims({ iat: now + 60 }),
    'iat of two days ago': withClaims({ iat: now - 2 * 86_400 }),
    'iat a fraction': withClaims({ iat: now - 0.5 }),
    'nbf in the future': withClaims({ nbf: now + 60 }),
    'nbf a text': withClaims({ nbf: '0' }),
    'nbf null': withClaims({ nbf: null }),
    // issuer, audience, use
    'iss absent': withClaims({ iss: undefined }),
    'iss of a stranger': withClaims({ iss: 'https://evil.example/pool-1' }),
    'iss with a slash behind': withClaims({ iss: `${ISSUER_NAME}/` }),
    'iss in capitals': withClaims({ iss: ISSUER_NAME.toUpperCase() }),
    'iss a list': withClaims({ iss: [ISSUER_NAME] }),
    'iss an object': withClaims({ iss: { toString: ISSUER_NAME } }),
    'aud absent': withClaims({ aud: undefined }),
    'aud of another service': withClaims({ aud: 'billing' }),
    'aud that begins like ours': withClaims({ aud: 'tributary-2' }),
    'aud a list without ours': withClaims({ aud: ['billing', 'search'] }),
    'aud a list with a number': withClaims({ aud: ['tributary', 1] }),
    'aud an empty list': withClaims({ aud: [] }),
    'aud null': withClaims({ aud: null }),
    'token_use absent': withClaims({ token_use: undefined }),
    'token_use id': withClaims({ token_use: 'id' }),
    'token_use a list': withClaims({ token_use: ['access'] }),
    // who
    'sub absent': withClaims({ sub: undefined }),
    'sub empty': withClaims({ sub: '' }),
    'sub a number': withClaims({ sub: 1 }),
    'thing absent': withClaims({ 'custom:thing': undefined }),
    'thing *': withClaims({ 'custom:thing': '*' }),
    'thing +': withClaims({ 'custom:thing': '+' }),
    'thing #': withClaims({ 'custom:thing': '#' }),
    'thing with a slash': withClaims({ 'custom:thing': 'probe-1/telemetry' }),
    'thing a variable': withClaims({ 'custom:thing': '$'.concat('{iot:ClientId}') }),
    'thing ?': withClaims({ 'custom:thing': 'probe-?' }),
    'thing with a line break': withClaims({ 'custom:thing': 'probe-1\n' }),
    'thing a list': withClaims({ 'custom:thing': ['probe-1'] }),
    'thing of 65 characters': withClaims({ 'custom:thing': 't'.repeat(65) }),
    'thing empty': withClaims({ 'custom:thing': '' }),
    'fleet *': withClaims({ 'custom:fleet': '*' }),
    'fleet absent': withClaims({ 'custom:fleet': undefined }),
    'fleet that closes the quotes': withClaims({ 'custom:fleet': 'acme","Resource":"*' }),
    // what is no token at all
    'a word': `hunter2-${CANARY}`,
    'a secret that nobody issued': `trs1_${'A'.repeat(22)}_${'B'.repeat(43)}`,
    'the form of a secret, with a word': `trs1_${CANARY}`,
  };
  return Object.entries(kinds).map(([kind, text]) => ({ kind, text }));
}

const turn = (signature: string): string =>
  `${signature.slice(0, 20)}${signature[20] === 'A' ? 'B' : 'A'}${signature.slice(21)}`;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The last character of 256 bytes in base64url has four bits to spare; a lenient decoder ignores them. */
const otherBits = (signature: string): string =>
  `${signature.slice(0, -1)}${ALPHABET[ALPHABET.indexOf(signature.at(-1) ?? '') + 1]}`;

function derSigned(ec: Signer, claims: object): string {
  const input = unsigned(goodHeader(ec), claims);
  const fixed = Buffer.from(signText(input, ec), 'base64url');
  const integer = (bytes: Buffer): number[] => [2, bytes.length + 1, 0, ...bytes];
  const both = [...integer(fixed.subarray(0, 32)), ...integer(fixed.subarray(32))];
  return `${input}.${base64url(Uint8Array.from([0x30, both.length, ...both]))}`;
}

function invalidUtf8(header: object, claims: object, signer: Signer): string {
  const bytes = Buffer.from(JSON.stringify({ ...claims, x: 'xx' }), 'utf8');
  bytes[bytes.length - 4] = 0xff;
  const input = `${base64url(JSON.stringify(header))}.${base64url(bytes)}`;
  return `${input}.${signText(input, signer)}`;
}
