import { describe, expect, it } from '@jest/globals';
import {
  isSigned,
  SignatureError,
  type SignedRequest,
  verifySignature,
} from '../../../../local/core/sigv4/index.ts';
import { presign, type Signing, signInHeader, type Unsigned } from '../../../support/signer.ts';

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
const MINUTE_MS = 60_000;
const TOKEN = 'FwoGZXIvYXdzEXAMPLE+/token==';

const KEYS = new Map([
  ['AKIDTEST', { secretAccessKey: 'secret' }],
  ['ASIATEMP', { secretAccessKey: 'temporary', sessionToken: TOKEN }],
]);

const LASTING: Signing = { atMs: NOW };
const TEMPORARY: Signing = {
  atMs: NOW,
  accessKeyId: 'ASIATEMP',
  secretAccessKey: 'temporary',
  sessionToken: TOKEN,
};

const PUBLISH: Unsigned = {
  method: 'POST',
  path: '/topics/dt%2Facme%2Fprobe-1%2Ftelemetry',
  query: { qos: '1', contentType: "a b*(c)'" },
  headers: {
    'content-type': 'application/json',
    'x-amz-mqtt5-payload-format-indicator': 'UTF8_DATA',
  },
  body: '{"temperature": 21.5}',
};

const verify = (request: SignedRequest, nowMs = NOW): string =>
  verifySignature(request, {
    nowMs,
    region: 'eu-central-1',
    services: ['iotdevicegateway', 'iotdata'],
    keyOf: (id) => KEYS.get(id),
  });

function refusal(request: SignedRequest, nowMs = NOW): SignatureError {
  try {
    verify(request, nowMs);
  } catch (error) {
    if (error instanceof SignatureError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('a request signed by the SDK', () => {
  it.each([
    { what: 'a publish', request: PUBLISH, signing: LASTING },
    { what: 'a publish of iotdata', request: PUBLISH, signing: { ...LASTING, service: 'iotdata' } },
    { what: 'an upgrade', request: {}, signing: LASTING },
    { what: 'with temporary keys', request: PUBLISH, signing: TEMPORARY },
    {
      what: 'a path with levels',
      request: { ...PUBLISH, path: '/topics/a/b/c' },
      signing: LASTING,
    },
    {
      what: 'a path with dots',
      request: { ...PUBLISH, path: '/topics/./a//b/../c/' },
      signing: LASTING,
    },
    {
      what: 'a path outside ASCII',
      request: { ...PUBLISH, path: '/topics/%C3%A4' },
      signing: LASTING,
    },
    { what: 'the root', request: { path: '/' }, signing: LASTING },
  ])('in its header is accepted: $what', async ({ request, signing }) => {
    const signed = await signInHeader(request, signing);
    expect(verify(signed)).toBe(signing.accessKeyId ?? 'AKIDTEST');
  });

  it.each([
    { what: 'an upgrade', request: {}, signing: LASTING, tokenInside: false },
    { what: 'an upgrade with temporary keys', request: {}, signing: TEMPORARY, tokenInside: false },
    {
      what: 'a publish of iotdata, whose token is signed',
      request: PUBLISH,
      signing: { ...TEMPORARY, service: 'iotdata' },
      tokenInside: true,
    },
  ])('in its query is accepted: $what', async ({ request, signing, tokenInside }) => {
    const signed = await presign(request, signing, { tokenInside });
    expect(verify(signed)).toBe(signing.accessKeyId ?? 'AKIDTEST');
  });
});

/** Worked out once by hand with openssl, so that signer and verifier cannot be wrong alike. */
it('a known signature is accepted', () => {
  expect(
    verify({
      method: 'GET',
      path: '/mqtt',
      query: '',
      headers: [
        ['Host', 'localhost:9443'],
        ['X-Amz-Date', '20261122T120000Z'],
        [
          'Authorization',
          'AWS4-HMAC-SHA256 Credential=AKIDTEST/20261122/eu-central-1/iotdevicegateway/aws4_request, SignedHeaders=host;x-amz-date, Signature=3a2e7bd30c344add15fdb4b49e6af0adfe4137187403ca4af5425787649728bd',
        ],
      ],
      body: Buffer.alloc(0),
    }),
  ).toBe('AKIDTEST');
});

/** The same request with one bit of a text changed. */
const flipped = (text: string, bit: number): string => {
  const bytes = Buffer.from(text, 'latin1');
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  return bytes.toString('latin1');
};

function* mutations(request: SignedRequest): Generator<readonly [what: string, SignedRequest]> {
  for (const part of ['method', 'path', 'query'] as const) {
    for (let bit = 0; bit < request[part].length * 8; bit += 1)
      yield [`${part} bit ${bit}`, { ...request, [part]: flipped(request[part], bit) }];
  }
  for (const [index, [name, value]] of request.headers.entries()) {
    for (let bit = 0; bit < value.length * 8; bit += 1) {
      const headers = request.headers.with(index, [name, flipped(value, bit)]);
      yield [`${name} bit ${bit}`, { ...request, headers }];
    }
    yield [`${name} left out`, { ...request, headers: request.headers.toSpliced(index, 1) }];
  }
  const body = Buffer.from(request.body).toString('latin1');
  for (let bit = 0; bit < body.length * 8; bit += 1)
    yield [`body bit ${bit}`, { ...request, body: Buffer.from(flipped(body, bit), 'latin1') }];
}

/** Changes that mean the same: of letter case in a percent code, of blanks between fields. */
const meansTheSame = (a: SignedRequest, b: SignedRequest): boolean => {
  const normal = ({ method, path, query, headers, body }: SignedRequest) =>
    JSON.stringify([
      method,
      path,
      query.replace(/%[0-9a-f]{2}/gi, (code) => code.toUpperCase()),
      headers.map(([name, value]) => [name, value.replace(/[\s]+/g, ' ').trim()]),
      Buffer.from(body).toString('hex'),
    ]);
  return normal(a) === normal(b);
};

describe('with any one bit changed', () => {
  it.each([
    { what: 'a publish signed in its header', sign: () => signInHeader(PUBLISH, TEMPORARY) },
    { what: 'a presigned upgrade', sign: () => presign({}, TEMPORARY) },
  ])('$what is refused', async ({ sign }) => {
    const request = await sign();
    expect(verify(request)).toBe('ASIATEMP');
    let tried = 0;
    const accepted: string[] = [];
    for (const [what, mutation] of mutations(request)) {
      tried += 1;
      try {
        verify(mutation);
        if (!meansTheSame(request, mutation)) accepted.push(what);
      } catch (error) {
        if (!(error instanceof SignatureError)) throw error;
      }
    }
    expect(tried).toBeGreaterThan(2500);
    expect(accepted).toEqual([]);
  });
});

describe('time', () => {
  it.each([
    { what: 'five minutes old', agoMs: 5 * MINUTE_MS, reason: undefined },
    { what: 'older', agoMs: 5 * MINUTE_MS + 1000, reason: 'SKEW' },
    { what: 'five minutes ahead', agoMs: -5 * MINUTE_MS, reason: undefined },
    { what: 'further ahead', agoMs: -5 * MINUTE_MS - 1000, reason: 'SKEW' },
  ])('of a header $what: $reason', async ({ agoMs, reason }) => {
    const signed = await signInHeader(PUBLISH, { atMs: NOW - agoMs });
    if (reason === undefined) expect(verify(signed)).toBe('AKIDTEST');
    else
      expect(refusal(signed)).toMatchObject({
        reason,
        message: expect.stringMatching(/5 minutes/),
      });
  });

  it.each([
    { what: 'within its life', agoMs: 60 * MINUTE_MS, reason: undefined },
    { what: 'after its life', agoMs: 60 * MINUTE_MS + 1000, reason: 'EXPIRED' },
    { what: 'before it', agoMs: -6 * MINUTE_MS, reason: 'SKEW' },
  ])('of a presigned URL $what: $reason', async ({ agoMs, reason }) => {
    const signed = await presign({}, { atMs: NOW - agoMs }, { expiresIn: 3600 });
    if (reason === undefined) expect(verify(signed)).toBe('AKIDTEST');
    else expect(refusal(signed).reason).toBe(reason);
  });
});

const without = (request: SignedRequest, header: string): SignedRequest => ({
  ...request,
  headers: request.headers.filter(([name]) => name.toLowerCase() !== header),
});

describe('refused is', () => {
  it.each([
    [
      'an unknown key',
      signInHeader(PUBLISH, { atMs: NOW, accessKeyId: 'AKIDWHO' }),
      'UNKNOWN_KEY',
      /AKIDWHO/,
    ],
    [
      'another secret',
      signInHeader(PUBLISH, { atMs: NOW, secretAccessKey: 'other' }),
      'SIGNATURE',
      /secret key/,
    ],
    [
      'another region',
      signInHeader(PUBLISH, { atMs: NOW, region: 'us-east-1' }),
      'SCOPE',
      /must be eu-central-1/,
    ],
    [
      'another service',
      signInHeader(PUBLISH, { atMs: NOW, service: 'kinesis' }),
      'SCOPE',
      /iotdevicegateway or iotdata/,
    ],
    [
      'a temporary key without its token',
      signInHeader(PUBLISH, { atMs: NOW, accessKeyId: 'ASIATEMP', secretAccessKey: 'temporary' }),
      'SESSION_TOKEN',
      /lacks the session token/,
    ],
    [
      'another token',
      signInHeader(PUBLISH, { ...TEMPORARY, sessionToken: 'x' }),
      'SESSION_TOKEN',
      /not the one/,
    ],
    [
      'a lasting key with a token',
      signInHeader(PUBLISH, { ...LASTING, sessionToken: 'x' }),
      'SESSION_TOKEN',
      /lasting/,
    ],
    [
      'a presigned upgrade whose token was signed',
      presign({}, TEMPORARY, { tokenInside: true }),
      'SIGNATURE',
      /appended after signing/,
    ],
    [
      'a header of AWS that is not signed',
      signInHeader(PUBLISH, LASTING).then((signed) => ({
        ...signed,
        headers: [...signed.headers, ['X-Amz-Extra', '1'] as const],
      })),
      'UNSIGNED_HEADER',
      /x-amz-extra/,
    ],
    [
      'no signature',
      signInHeader(PUBLISH, LASTING).then((s) => without(s, 'authorization')),
      'NO_SIGNATURE',
      /neither/,
    ],
    [
      'no date',
      signInHeader(PUBLISH, LASTING).then((s) => without(s, 'x-amz-date')),
      'MALFORMED',
      /x-amz-date/,
    ],
    [
      'an unsigned payload',
      signInHeader(
        { ...PUBLISH, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
        LASTING,
      ),
      'PAYLOAD',
      /SHA-256/,
    ],
    [
      'signed twice',
      Promise.all([signInHeader({}, LASTING), presign({}, LASTING)]).then(([a, b]) => ({
        ...a,
        query: b.query,
      })),
      'MALFORMED',
      /one of them/,
    ],
    [
      'a parameter given twice',
      presign({}, LASTING).then((s) => ({ ...s, query: `${s.query}&X-Amz-Date=20261122T120000Z` })),
      'MALFORMED',
      /more than once/,
    ],
    [
      'a life of more than a week',
      presign({}, LASTING).then((s) => ({
        ...s,
        query: s.query.replace('Expires=300', 'Expires=604801'),
      })),
      'MALFORMED',
      /604800/,
    ],
    [
      'another algorithm',
      presign({}, LASTING).then((s) => ({
        ...s,
        query: s.query.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'),
      })),
      'ALGORITHM',
      /AWS4-HMAC-SHA256/,
    ],
    [
      'a broken percent code',
      presign({}, LASTING).then((s) => ({ ...s, query: `${s.query}&a=%ZZ` })),
      'MALFORMED',
      /percent/,
    ],
  ] as const)('%s', async (_, request, reason, told) => {
    const error = refusal(await request);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(told) });
    expect(error.message).not.toMatch(/FwoGZX|temporary"|secret"/);
  });
});

it('a request without a signature is told apart from one with a bad one', async () => {
  const signed = await signInHeader({}, LASTING);
  expect(isSigned(signed)).toBe(true);
  expect(isSigned(await presign({}, LASTING))).toBe(true);
  expect(isSigned(without(signed, 'authorization'))).toBe(false);
});
