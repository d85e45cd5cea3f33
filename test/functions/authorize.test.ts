import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authorize } from '../../functions/authorize/authorize.ts';
import { createAuthority, issueClient } from '../../local/pki/index.ts';
import { fetchText } from '../../shared/adapters/fetch-text.ts';
import { keyRing } from '../../shared/adapters/lorawan/key-ring.ts';
import type { Refusal } from '../../shared/adapters/security/denials.ts';
import { type Answer, REFUSAL } from '../../shared/core/access/answer.ts';
import {
  makeSecret,
  NO_SECRET,
  secretId,
  verifySecret,
} from '../../shared/core/access/device-secret.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { CANARY, hostileTokens } from '../support/hostile-tokens.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { issuerAt, NOW_MS, newSigner, tokenOf } from '../support/tokens.ts';

const rsa = newSigner('rsa-1');
const ec = newSigner('ec-1', 'ES256');
const stranger = newSigner('rsa-1');
const pepper = { version: 1, bytes: new Uint8Array(32).fill(7) };

let server: KeyServer;
let strangers: KeyServer;
beforeAll(async () => {
  server = await startKeyServer(rsa.jwk, ec.jwk);
  strangers = await startKeyServer(stranger.jwk);
});
afterAll(async () => {
  await Promise.all([server.close(), strangers.close()]);
});

type Way = 'signed' | 'jwt' | 'password';

interface Setup {
  readonly accepts?: Way[];
  readonly atMs?: number;
  readonly denialOf?: (thing: string) => Promise<Refusal | undefined>;
}

function setup({ accepts = ['jwt'], atMs = NOW_MS, denialOf = async () => undefined }: Setup = {}) {
  const lines: string[] = [];
  const clock = { ms: atMs };
  const now = () => clock.ms;
  const secret = makeSecret(
    { thing: 'probe-1', fleet: 'acme', createdAtMs: NOW_MS },
    pepper,
    (count) => Uint8Array.from({ length: count }, (_, at) => at * 41),
  );
  const ask = authorize({
    accepts: new Set(accepts),
    issuers: [issuerAt(server.url)],
    keys: keyRing((url) => fetchText(url, { timeoutMs: 2_000, bytes: 65_536 }), now),
    whoseSecret: async (text) =>
      verifySecret(
        text,
        secretId(text) === secret.kept.id ? secret.kept : NO_SECRET,
        pepper.bytes,
        now(),
      ),
    denialOf,
    stage: 'dev',
    domains: [],
    refreshSeconds: 300,
    log: createLog('debug', (line) => lines.push(line), now),
    now,
  });
  const invokedFunctionArn = 'arn:aws:lambda:eu-central-1:000000000000:function:f';
  return { ask: (event: unknown) => ask(event, { invokedFunctionArn }), lines, clock, secret };
}

const connection = { connectionMetadata: { id: '0f1ab6f4-30a3-4a7e-8a52-9d1d3cf0a7c1' } };

/** How a credential comes in, by carrier, when AWS IoT does not take it out itself. */
const CARRIERS = {
  header: (text: string) => ({
    ...connection,
    signatureVerified: false,
    protocols: ['tls', 'http'],
    protocolData: { tls: {}, http: { headers: { TOKEN: text }, queryString: '' } },
  }),
  query: (text: string) => ({
    ...connection,
    signatureVerified: false,
    protocols: ['tls', 'http', 'mqtt'],
    protocolData: {
      http: { headers: {}, queryString: `?token=${encodeURIComponent(text)}` },
      mqtt: { clientId: 'probe-1' },
    },
  }),
  password: (text: string) => ({
    ...connection,
    signatureVerified: false,
    protocols: ['tls', 'mqtt'],
    protocolData: {
      mqtt: {
        username: 'probe-1?x-amz-customauthorizer-name=jwt',
        password: Buffer.from(text).toString('base64'),
        clientId: 'probe-1',
      },
    },
  }),
};
const carriers = Object.entries(CARRIERS);

const codesIn = (lines: readonly string[]): ReadonlySet<string> =>
  new Set(lines.flatMap((line) => JSON.parse(line).code ?? []));

/** Each of them is what some kind is refused for; a fault of ours would have no code. */
const EVERY_REASON = new Set([
  'TOKEN_TOO_LARGE',
  'MALFORMED_TOKEN',
  'FORBIDDEN_HEADER',
  'UNKNOWN_ISSUER',
  'FORBIDDEN_ALGORITHM',
  'UNKNOWN_KEY',
  'BAD_SIGNATURE',
  'EXPIRED',
  'NOT_YET_VALID',
  'WRONG_CLAIM',
  'MALFORMED_SECRET',
  'UNKNOWN_SECRET',
]);

describe('hostile tokens', () => {
  it('come in more than 60 kinds', () => {
    const kinds = hostileTokens({ rsa, ec, stranger, strangerUrl: strangers.url });
    expect(kinds.length).toBeGreaterThanOrEqual(60);
  });

  it.each(carriers)('are all refused, carried by %s', async (_carrier, carry) => {
    const { ask, lines } = setup({ accepts: ['jwt', 'password'] });
    expect(await ask(carry(tokenOf(rsa)))).toMatchObject({ isAuthenticated: true });
    const taken: string[] = [];
    for (const { kind, text } of hostileTokens({
      rsa,
      ec,
      stranger,
      strangerUrl: strangers.url,
    })) {
      const answer = await ask(carry(text));
      if (answer.isAuthenticated) taken.push(kind);
      else expect({ kind, answer }).toEqual({ kind, answer: REFUSAL });
    }
    expect(taken).toEqual([]);
    expect(codesIn(lines)).toEqual(EVERY_REASON);
  });

  it.each(carriers)('leave nothing of theirs in the log, carried by %s', async (_c, carry) => {
    const { ask, lines } = setup({ accepts: ['jwt', 'password'] });
    const tokens = hostileTokens({ rsa, ec, stranger, strangerUrl: strangers.url });
    for (const { text } of tokens) await ask(carry(text));
    const log = lines.join('');
    expect(lines).toHaveLength(tokens.length);
    expect(log).not.toContain(CANARY);
    expect(log).not.toContain(Buffer.from(CANARY).toString('base64url'));
    const parts = tokens.flatMap(({ text }) => text.split('.')).filter((one) => one.length > 12);
    expect(parts.filter((part) => log.includes(part))).toEqual([]);
  });

  it('make nobody fetch what they name', () => {
    expect(strangers.requests).toEqual([]);
    expect(new Set(server.requests)).toEqual(new Set(['/keys']));
  });
});

describe('a good token', () => {
  it.each(carriers)('is taken, carried by %s', async (_carrier, carry) => {
    const { ask } = setup();
    for (const signer of [rsa, ec]) {
      expect(await ask(carry(tokenOf(signer)))).toMatchObject({
        isAuthenticated: true,
        principalId: expect.stringMatching(/^token[0-9a-f]{64}$/),
        refreshAfterInSeconds: 300,
        disconnectAfterInSeconds: 3_600,
      });
    }
  });

  it.each([
    { what: 'the token that AWS IoT took out', event: { token: tokenOf(rsa) } },
    {
      what: 'a bearer in the header Authorization',
      event: { protocolData: { http: { headers: { Authorization: `Bearer ${tokenOf(rsa)}` } } } },
    },
    {
      what: 'the query of a user name, behind what a device SDK puts there',
      event: {
        protocolData: {
          mqtt: { username: `probe-1?SDK=JavaScript&token=${tokenOf(rsa)}`, clientId: 'probe-1' },
        },
      },
    },
  ])('is found as $what', async ({ event }) => {
    expect(await setup().ask(event)).toMatchObject({ isAuthenticated: true });
  });

  it('ends the connection no earlier than in five minutes and no later than in a day', async () => {
    const { ask } = setup();
    const until = async (seconds: number) => {
      const exp = NOW_MS / 1000 + seconds;
      return (await ask({ token: tokenOf(rsa, { exp }) })).disconnectAfterInSeconds;
    };
    expect([await until(10), await until(301), await until(10 * 86_400)]).toEqual([
      300, 301, 86_400,
    ]);
  });

  it('is refused at the refresh behind its end', async () => {
    const { ask, clock } = setup();
    const event = { token: tokenOf(rsa) };
    expect(await ask(event)).toMatchObject({ isAuthenticated: true });
    clock.ms += 3_600_000;
    expect(await ask(event)).toEqual(REFUSAL);
  });

  it('is refused to another client id than its thing', async () => {
    const { ask, lines } = setup();
    const event = CARRIERS.password(tokenOf(rsa));
    event.protocolData.mqtt.clientId = 'probe-2';
    expect(await ask(event)).toEqual(REFUSAL);
    expect(lines.join('')).toContain('FOREIGN_CLIENT_ID');
  });

  it('is refused beside another in the same carrier', async () => {
    const headers = { token: tokenOf(rsa), Token: tokenOf(ec) };
    const { ask, lines } = setup();
    expect(await ask({ protocolData: { http: { headers } } })).toEqual(REFUSAL);
    expect(lines.join('')).toContain('AMBIGUOUS_CREDENTIAL');
  });
});

describe('the signed authorizer', () => {
  it('takes a token whose signature AWS IoT has verified', async () => {
    const { ask } = setup({ accepts: ['signed'] });
    expect(await ask({ token: tokenOf(rsa), signatureVerified: true })).toMatchObject({
      isAuthenticated: true,
    });
  });

  it.each([
    { what: 'was not verified', event: { token: tokenOf(rsa), signatureVerified: false } },
    { what: 'says nothing of it', event: { token: tokenOf(rsa) } },
    {
      what: 'is not the verified one',
      event: {
        signatureVerified: true,
        protocolData: { http: { headers: { token: tokenOf(rsa) } } },
      },
    },
  ])('refuses a token that $what', async ({ event }) => {
    const { ask, lines } = setup({ accepts: ['signed'] });
    expect(await ask(event)).toEqual(REFUSAL);
    expect(lines.join('')).toContain('UNSIGNED_TOKEN');
  });
});

describe('a device secret', () => {
  it.each(carriers)('is taken, carried by %s', async (_carrier, carry) => {
    const { ask, secret, lines } = setup({ accepts: ['password'] });
    expect(await ask(carry(secret.text))).toMatchObject({
      isAuthenticated: true,
      principalId: expect.stringMatching(/^secret[0-9a-f]{64}$/),
      disconnectAfterInSeconds: 86_400,
    });
    expect(lines.join('')).not.toContain(secret.text.slice(28));
  });

  it('is refused where only tokens are taken, and a token where only secrets are', async () => {
    const tokens = setup({ accepts: ['jwt'] });
    expect(await tokens.ask(CARRIERS.password(tokens.secret.text))).toEqual(REFUSAL);
    const secrets = setup({ accepts: ['password'] });
    expect(await secrets.ask(CARRIERS.password(tokenOf(rsa)))).toEqual(REFUSAL);
  });
});

describe('a contained device', () => {
  const held = (rung: Refusal['rung']) => async (thing: string) =>
    thing === 'probe-1' ? { rung, incidentId: '0123456789abcdef' } : undefined;
  const actions = (answer: Answer) =>
    answer.policyDocuments.flatMap(({ Statement }) => Statement.map(({ Action }) => Action));

  it('in quarantine connects and reads, and publishes nothing', async () => {
    const { ask } = setup({ denialOf: held('quarantine') });
    const answer = await ask({ token: tokenOf(rsa) });
    expect(answer.isAuthenticated).toBe(true);
    expect(actions(answer)).toEqual(['iot:Connect', 'iot:Subscribe', 'iot:Receive']);
  });

  it('that is cut off is refused, and the log names the incident', async () => {
    const { ask, lines } = setup({ denialOf: held('cut-off') });
    expect(await ask({ token: tokenOf(rsa) })).toEqual(REFUSAL);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      code: 'CONTAINED',
      issue: 'thing: is cut off because of incident 0123456789abcdef',
    });
  });

  it('takes nobody else along', async () => {
    const { ask } = setup({ denialOf: held('cut-off') });
    const answer = await ask({ token: tokenOf(rsa, { 'custom:thing': 'probe-2' }) });
    expect(actions(answer)).toContain('iot:Publish');
  });

  it('cannot come in while nobody can say whether it is contained', async () => {
    const { ask, lines } = setup({
      denialOf: async () => {
        throw new Error('the table does not answer');
      },
    });
    expect(await ask({ token: tokenOf(rsa) })).toEqual(REFUSAL);
    expect(lines.join('')).toContain('refused because of a fault');
  });

  it('is not asked for with a credential that proves nothing', async () => {
    const asked: string[] = [];
    const { ask } = setup({
      denialOf: async (thing) => {
        asked.push(thing);
        return undefined;
      },
    });
    await ask({ token: tokenOf(stranger) });
    expect(asked).toEqual([]);
  });
});

describe('a credential beside a certificate', () => {
  let own: string;
  let foreign: string;
  beforeAll(async () => {
    const validity = { notBeforeMs: NOW_MS - 1_000, notAfterMs: NOW_MS + 86_400_000 };
    const ca = await createAuthority([['CN', 'Fleet CA']], validity);
    const certificate = async (CN: string) => {
      const subject = [
        ['CN', CN],
        ['O', 'acme'],
      ] as const;
      return (await issueClient(ca, subject, validity)).certificatePem;
    };
    [own, foreign] = [await certificate('probe-1'), await certificate('probe-2')];
  });
  const principalId = 'c'.repeat(64);
  const event = (x509CertificatePem: string) => ({
    ...connection,
    token: tokenOf(rsa),
    protocolData: { tls: { x509CertificatePem, principalId }, mqtt: { clientId: 'probe-1' } },
  });

  it('lets in under the certificate’s id, and leaves the rest to its policies', async () => {
    expect(await setup().ask(event(own))).toMatchObject({
      isAuthenticated: true,
      principalId,
      policyDocuments: [],
    });
  });

  it('is refused with the certificate of another device', async () => {
    const { ask, lines } = setup();
    expect(await ask(event(foreign))).toEqual(REFUSAL);
    expect(lines.join('')).toContain('WRONG_SUBJECT');
  });

  it('is refused on its own merits, whatever the certificate is', async () => {
    expect(await setup().ask({ ...event(own), token: tokenOf(stranger) })).toEqual(REFUSAL);
  });

  it('is refused with half a certificate', async () => {
    const half = { token: tokenOf(rsa), protocolData: { tls: { principalId } } };
    expect(await setup().ask(half)).toEqual(REFUSAL);
  });

  it('of a device in quarantine denies what the certificate’s policies grant', async () => {
    const { ask } = setup({
      denialOf: async () => ({ rung: 'quarantine', incidentId: '0123456789abcdef' }),
    });
    expect((await ask(event(own))).policyDocuments).toMatchObject([
      { Statement: [{ Effect: 'Deny', Action: ['iot:Publish', 'iot:RetainPublish'] }] },
    ]);
  });
});

describe('the authorizer', () => {
  it.each([
    { what: 'nothing', event: undefined },
    { what: 'null', event: null },
    { what: 'a text', event: 'token' },
    { what: 'a list', event: [] },
    { what: 'an empty event', event: {} },
    { what: 'a token that is a number', event: { token: 1 } },
    { what: 'a password that is a number', event: { protocolData: { mqtt: { password: 5 } } } },
    {
      what: 'the longest password there can be',
      event: { protocolData: { mqtt: { password: 'A'.repeat(65_535) } } },
    },
    {
      what: 'a header that is a list',
      event: { protocolData: { http: { headers: { token: ['a'] } } } },
    },
  ])('answers no to $what, within its contract', async ({ event }) => {
    expect(await setup().ask(event)).toEqual(REFUSAL);
  });

  it('answers no when something breaks, and keeps to itself what it broke on', async () => {
    const lines: string[] = [];
    const ask = authorize({
      accepts: new Set(['password']),
      issuers: [],
      keys: keyRing(async () => '', Date.now),
      whoseSecret: async (text) => {
        throw new TypeError(`cannot read ${text}`);
      },
      denialOf: async () => undefined,
      stage: 'dev',
      domains: [],
      refreshSeconds: 300,
      log: createLog('debug', (line) => lines.push(line), Date.now),
      now: Date.now,
    });
    const event = CARRIERS.password(`trs1_${CANARY}`);
    expect(await ask(event, { invokedFunctionArn: '' })).toEqual(REFUSAL);
    expect(lines.join('')).toContain('TypeError');
    expect(lines.join('')).not.toContain(CANARY);
  });
});
