import { afterEach, describe, expect, it } from '@jest/globals';
import { fetchText } from '../../../../shared/adapters/fetch-text.ts';
import { KEY_AGES, keyRing } from '../../../../shared/adapters/lorawan/key-ring.ts';
import { answerKeys, type KeyServer, startKeyServer } from '../../../support/key-server.ts';
import { issuerAt, newSigner } from '../../../support/tokens.ts';

const first = newSigner('first');
const second = newSigner('second');
const LIMITS = { timeoutMs: 200, bytes: 10_000 };

const servers: KeyServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setup(...keys: readonly object[]) {
  const server = await startKeyServer(...keys);
  servers.push(server);
  const clock = { ms: 1_790_000_000_000 };
  const ring = keyRing(
    (url) => fetchText(url, LIMITS),
    () => clock.ms,
  );
  const issuer = issuerAt(server.url);
  const find = async (kid: string): Promise<string> =>
    ring.find(issuer, kid, 'RS256').then(
      () => 'found',
      (error: unknown) => String(Reflect.get(Object(error), 'code')),
    );
  return { server, clock, find, ring, issuer };
}

describe('the keys of an issuer', () => {
  it('are fetched once for however many ask at once', async () => {
    const { server, find } = await setup(first.jwk);
    const found = await Promise.all(Array.from({ length: 200 }, () => find('first')));
    expect(new Set(found)).toEqual(new Set(['found']));
    expect(server.requests).toHaveLength(1);
  });

  it('are not fetched more than once a back-off by 200 made-up ids', async () => {
    const { server, find, clock } = await setup(first.jwk);
    await find('first');
    clock.ms += KEY_AGES.backOffMs;
    const made = Array.from({ length: 200 }, (_, at) => find(`made-up-${at}`));
    expect(new Set(await Promise.all(made))).toEqual(new Set(['UNKNOWN_KEY']));
    expect(server.requests).toHaveLength(2);
    await find('made-up-again');
    expect(server.requests).toHaveLength(2);
  });

  it('include a new one within a back-off, also behind a made-up id', async () => {
    const { server, find, clock } = await setup(first.jwk);
    await find('first');
    clock.ms += KEY_AGES.backOffMs;
    expect(await find('made-up')).toBe('UNKNOWN_KEY');
    server.answer = answerKeys(first.jwk, second.jwk);
    expect(await find('second')).toBe('UNKNOWN_KEY');
    clock.ms += KEY_AGES.backOffMs;
    expect(await find('second')).toBe('found');
  });

  it('lose one that was withdrawn, when they are asked for again', async () => {
    const { server, find, clock } = await setup(first.jwk, second.jwk);
    expect(await find('first')).toBe('found');
    server.answer = answerKeys(second.jwk);
    clock.ms += KEY_AGES.freshMs - 1;
    expect(await find('first')).toBe('found');
    clock.ms += 1;
    expect(await find('first')).toBe('UNKNOWN_KEY');
  });

  it('are taken for an hour while the issuer is away, and no longer', async () => {
    const { server, find, clock } = await setup(first.jwk);
    await find('first');
    server.answer = (response) => void response.writeHead(503).end();
    clock.ms += KEY_AGES.maximumMs - 1;
    expect(await find('first')).toBe('found');
    clock.ms += 1;
    expect(await find('first')).toBe('KEYS_UNAVAILABLE');
    server.answer = answerKeys(first.jwk);
    clock.ms += KEY_AGES.backOffMs;
    expect(await find('first')).toBe('found');
  });

  it.each([
    {
      what: 'fails',
      answer: (response: import('node:http').ServerResponse) => void response.writeHead(500).end(),
    },
    {
      what: 'redirects',
      answer: (response: import('node:http').ServerResponse) =>
        void response.writeHead(302, { location: '/elsewhere' }).end(),
    },
    {
      what: 'answers with no JSON',
      answer: (response: import('node:http').ServerResponse) => void response.end('<html>'),
    },
    {
      what: 'answers with no keys',
      answer: (response: import('node:http').ServerResponse) => void response.end('{}'),
    },
    {
      what: 'hangs up',
      answer: (response: import('node:http').ServerResponse) => void response.destroy(),
    },
    { what: 'never answers', answer: () => undefined },
    {
      what: 'never ends its answer',
      answer: (response: import('node:http').ServerResponse) => void response.write('{"keys":['),
    },
    {
      what: 'sends without end',
      answer: (response: import('node:http').ServerResponse) => {
        const more = (): boolean => response.write(' '.repeat(4_096), () => more());
        more();
      },
    },
  ])('are not to be had from an issuer that $what, which ends in time', async ({ answer }) => {
    const { server, find } = await setup();
    server.answer = answer;
    expect(await find('first')).toBe('KEYS_UNAVAILABLE');
    expect(server.requests).toEqual(['/keys']);
  });

  it('are looked for at one address, and other issuers have other keys', async () => {
    const { ring } = await setup(first.jwk);
    const { server, issuer } = await setup(second.jwk);
    const other = { ...issuer, issuer: 'https://other.example' };
    await ring.find(other, 'second', 'RS256');
    await expect(ring.find(other, 'first', 'RS256')).rejects.toMatchObject({ code: 'UNKNOWN_KEY' });
    expect(server.requests).toEqual(['/keys']);
  });
});

describe('a key', () => {
  const { n, e } = first.jwk;
  const weak = { kty: 'RSA', kid: 'weak', n: String(n).slice(0, 170), e };
  const ec = newSigner('ec', 'ES256');

  it.each([
    { what: 'that is symmetric', key: { kty: 'oct', kid: 'k', k: 'c2VjcmV0' } },
    { what: 'for encryption', key: { ...first.jwk, kid: 'k', use: 'enc' } },
    { what: 'without a use for verifying', key: { ...first.jwk, kid: 'k', key_ops: ['sign'] } },
    { what: 'without id', key: { ...first.jwk, kid: undefined } },
    { what: 'of another algorithm', key: { ...first.jwk, kid: 'k', alg: 'PS256' } },
    { what: 'of another type', key: { ...ec.jwk, kid: 'k', alg: undefined } },
    { what: 'that is private', key: { ...first.jwk, kid: 'k', d: 'AQAB' } },
    { what: 'of 1,020 bits', key: { ...weak, kid: 'k' } },
    { what: 'that is broken', key: { kty: 'RSA', kid: 'k', n: '!', e: '!' } },
  ])('$what is not taken', async ({ key }) => {
    const { find } = await setup(key, first.jwk);
    expect(await find('k')).toBe('UNKNOWN_KEY');
    expect(await find('first')).toBe('found');
  });
});
