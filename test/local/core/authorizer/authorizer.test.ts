import { describe, expect, it } from '@jest/globals';
import {
  AuthorizerRefusal,
  authorizerEvent,
  checkedToken,
  chooseAuthorizer,
  type Presented,
  readResponse,
} from '../../../../local/core/authorizer/index.ts';
import { answer, authorizer, KEY, NEXT_KEY, policyDocument } from './token-world.ts';

function refusal(act: () => unknown): AuthorizerRefusal {
  try {
    act();
  } catch (error) {
    if (error instanceof AuthorizerRefusal) return error;
    throw error;
  }
  throw new Error('was accepted');
}

const query = (parameters: Record<string, string>): string =>
  `?${new URLSearchParams(parameters).toString()}`;

const overHttps = (headers: Record<string, string>, queryString = ''): Presented => ({
  transport: 'https',
  http: { headers, queryString },
});
const overMqtt = (username: string): Presented => ({ transport: 'mqtt', mqtt: { username } });

const NAME = 'x-amz-customauthorizer-name';
const SIGNATURE = 'x-amz-customauthorizer-signature';

describe('the authorizer of a client', () => {
  const OPEN = { allowOverride: true, defaultName: 'usual' };
  const PINNED = { allowOverride: false, defaultName: 'usual' };

  it.each([
    ['a header, in any letter case', overHttps({ 'X-Amz-CustomAuthorizer-Name': 'other' })],
    ['the query string', overHttps({}, query({ [NAME]: 'other' }))],
    ['the user name', overMqtt(`probe-1${query({ [NAME]: 'other', SDK: 'NodeJSv2' })}`)],
  ])('is named by %s', (_, presented) => {
    expect(chooseAuthorizer(presented, OPEN)).toBe('other');
    expect(refusal(() => chooseAuthorizer(presented, PINNED))).toMatchObject({
      reason: 'OVERRIDE_NOT_ALLOWED',
    });
  });

  it('is the default one where the client names none, or names that one', () => {
    expect(chooseAuthorizer(overMqtt('probe-1'), PINNED)).toBe('usual');
    expect(chooseAuthorizer(overMqtt(`probe-1${query({ [NAME]: 'usual' })}`), PINNED)).toBe(
      'usual',
    );
  });

  it('is missing where there is neither', () => {
    const error = refusal(() => chooseAuthorizer(overMqtt('probe-1'), { allowOverride: true }));
    expect(error).toMatchObject({
      reason: 'NO_AUTHORIZER',
      message: expect.stringContaining(NAME),
    });
  });

  it('is not guessed where two are named', () => {
    const presented = overHttps({ [NAME]: 'one' }, query({ [NAME]: 'two' }));
    expect(refusal(() => chooseAuthorizer(presented, OPEN)).reason).toBe('AMBIGUOUS');
  });
});

describe('a token', () => {
  const TOKEN = 'eyJ.some+thing/=';
  const carried: [string, (parameters: Record<string, string>) => Presented][] = [
    ['headers', (parameters) => overHttps(parameters)],
    ['the query string', (parameters) => overHttps({}, query(parameters))],
    ['the user name', (parameters) => overMqtt(`probe-1${query(parameters)}`)],
  ];

  it.each(carried)('with its signature is taken from %s', (_, present) => {
    const presented = present({ token: TOKEN, [SIGNATURE]: KEY.sign(TOKEN) });
    expect(checkedToken(presented, authorizer())).toBe(TOKEN);
  });

  it('may be signed with any of the keys, so that they can be rotated', () => {
    const presented = overHttps({ token: TOKEN, [SIGNATURE]: NEXT_KEY.sign(TOKEN) });
    expect(refusal(() => checkedToken(presented, authorizer())).reason).toBe('TOKEN_SIGNATURE');
    const both = authorizer({ signingKeys: { first: KEY.publicPem, next: NEXT_KEY.publicPem } });
    expect(checkedToken(presented, both)).toBe(TOKEN);
  });

  const signature = KEY.sign(TOKEN);
  it.each<[string, Record<string, string>, string, RegExp]>([
    ['no token', { [SIGNATURE]: signature }, 'NO_TOKEN', /under token/],
    ['no signature', { token: TOKEN }, 'NO_TOKEN_SIGNATURE', /x-amz-customauthorizer-signature/],
    [
      'another token',
      { token: `${TOKEN}x`, [SIGNATURE]: signature },
      'TOKEN_SIGNATURE',
      /none of the keys/,
    ],
    [
      'half a signature',
      { token: TOKEN, [SIGNATURE]: signature.slice(0, 100) },
      'TOKEN_SIGNATURE',
      /none/,
    ],
    ['no base64', { token: TOKEN, [SIGNATURE]: '%%%' }, 'TOKEN_SIGNATURE', /not base64/],
  ])('is refused with %s', (_, headers, reason, told) => {
    const error = refusal(() => checkedToken(overHttps(headers), authorizer()));
    expect(error).toMatchObject({ reason, message: expect.stringMatching(told) });
    expect(error.message).not.toContain(TOKEN);
  });

  it('whose signature was not URL-encoded is refused, and that is said', () => {
    const token =
      [...Array(50).keys()].map(String).find((text) => KEY.sign(text).includes('+')) ?? '';
    const presented = overMqtt(`probe-1?token=${token}&${SIGNATURE}=${KEY.sign(token)}`);
    expect(refusal(() => checkedToken(presented, authorizer())).message).toMatch(/URL-encode/);
  });

  it('needs no signature where signing is disabled, and may be absent', () => {
    const unsigned = authorizer({ signingDisabled: true, signingKeys: {} });
    expect(checkedToken(overHttps({ token: TOKEN }), unsigned)).toBe(TOKEN);
    expect(checkedToken(overHttps({}), unsigned)).toBeUndefined();
  });
});

describe('the event', () => {
  const checked = { token: 'abc', signatureVerified: true, connectionId: 'c-1' };

  it('of MQTT has user name as sent, password in base64 and client id', () => {
    const presented: Presented = {
      transport: 'mqtt',
      serverName: 'localhost',
      mqtt: { username: 'u?token=abc', password: Buffer.from('päss'), clientId: 'probe-1' },
    };
    expect(authorizerEvent(presented, checked)).toEqual({
      token: 'abc',
      signatureVerified: true,
      protocols: ['tls', 'mqtt'],
      protocolData: {
        tls: { serverName: 'localhost' },
        mqtt: { username: 'u?token=abc', password: 'cMOkc3M=', clientId: 'probe-1' },
      },
      connectionMetadata: { id: 'c-1' },
    });
  });

  it('of HTTPS has headers and query string, and leaves out what it has not', () => {
    const presented: Presented = {
      transport: 'https',
      http: { headers: { Host: 'localhost' }, queryString: '?qos=1' },
    };
    expect(
      authorizerEvent(presented, { ...checked, token: undefined, signatureVerified: false }),
    ).toEqual({
      signatureVerified: false,
      protocols: ['tls', 'http'],
      protocolData: { tls: {}, http: { headers: { Host: 'localhost' }, queryString: '?qos=1' } },
      connectionMetadata: { id: 'c-1' },
    });
  });

  it('of a WebSocket promises all three, and an empty client id is left out', () => {
    const presented: Presented = {
      transport: 'wss',
      http: { headers: {}, queryString: '' },
      mqtt: { clientId: '' },
    };
    const event = authorizerEvent(presented, checked);
    expect(event.protocols).toEqual(['tls', 'http', 'mqtt']);
    expect(event.protocolData).toEqual({
      tls: {},
      http: { headers: {}, queryString: '' },
      mqtt: {},
    });
  });

  it('with a client certificate has it and its id', () => {
    const x509 = { certificatePem: 'PEM', certificateId: 'a1' };
    expect(authorizerEvent({ transport: 'mqtt', x509 }, checked).protocolData.tls).toEqual({
      x509CertificatePem: 'PEM',
      principalId: 'a1',
    });
  });
});

describe('an answer', () => {
  const read = (payload: unknown, certificateId?: string) =>
    readResponse(payload, {
      authorizer: 'signed',
      ...(certificateId !== undefined && { certificateId }),
    });

  it.each([
    {
      what: 'the least times',
      more: { refreshAfterInSeconds: 300, disconnectAfterInSeconds: 300 },
    },
    { what: 'the most', more: { refreshAfterInSeconds: 86_400, disconnectAfterInSeconds: 86_400 } },
    { what: 'ten documents', more: { policyDocuments: Array(10).fill(policyDocument()) } },
    { what: 'documents as text', more: { policyDocuments: [JSON.stringify(policyDocument())] } },
    { what: 'a long principal', more: { principalId: 'a'.repeat(128) } },
    { what: 'no documents', more: { policyDocuments: [] } },
  ])('is taken with $what', ({ more }) => {
    expect(read(answer(more)).principalId).toMatch(/^(probe1|a+)$/);
  });

  const tooLong = policyDocument(`arn:aws:iot:eu-central-1:000000000000:topic/${'x'.repeat(2000)}`);

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /object/],
    ['no isAuthenticated', { ...answer(), isAuthenticated: undefined }, /isAuthenticated/],
    [
      'a hyphen in the principal',
      answer({ principalId: 'probe-1' }),
      /principalId: is not 1 to 128/,
    ],
    ['an empty principal', answer({ principalId: '' }), /principalId/],
    ['129 characters', answer({ principalId: 'a'.repeat(129) }), /principalId/],
    [
      'eleven documents',
      answer({ policyDocuments: Array(11).fill(policyDocument()) }),
      /more than 10/,
    ],
    [
      'a document too long',
      answer({ policyDocuments: [tooLong] }),
      /policyDocuments.0 has 21\d\d characters/,
    ],
    [
      'a document of another version',
      answer({ policyDocuments: [{ Version: '2008-10-17', Statement: [] }] }),
      /document 0/,
    ],
    ['a text that is no JSON', answer({ policyDocuments: ['{'] }), /policyDocuments.0/],
    ['no documents at all', { ...answer(), policyDocuments: undefined }, /policyDocuments/],
    ['a refresh too soon', answer({ refreshAfterInSeconds: 299 }), /refreshAfterInSeconds/],
    ['a life too long', answer({ disconnectAfterInSeconds: 86_401 }), /disconnectAfterInSeconds/],
    ['half seconds', answer({ refreshAfterInSeconds: 300.5 }), /refreshAfterInSeconds/],
    ['seconds as text', answer({ refreshAfterInSeconds: '300' }), /refreshAfterInSeconds/],
  ])('is refused with %s', (_, payload, told) => {
    expect(refusal(() => read(payload))).toMatchObject({
      reason: 'INVALID_RESPONSE',
      message: expect.stringMatching(told),
    });
  });

  it('of no is a no, whatever else it has', () => {
    expect(refusal(() => read({ isAuthenticated: false })).reason).toBe('NOT_AUTHENTICATED');
  });

  it('about a client certificate must name it, and needs no documents', () => {
    const { policyDocuments: _, ...rest } = answer({ principalId: 'a1b2' });
    expect(read(rest, 'a1b2').documents).toEqual([]);
    expect(refusal(() => read(answer(), 'a1b2')).message).toMatch(/id of the client certificate/);
  });
});
