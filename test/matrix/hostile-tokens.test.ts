import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connectAsync, type IClientOptions } from 'mqtt';
import { seeded } from '../../local/fleet/random.ts';
import {
  type AccessLaptop,
  bootAccess,
  connectMqtts,
  post,
  signedParameters,
} from '../support/access-laptop.ts';
import { CANARY, hostileTokens } from '../support/hostile-tokens.ts';
import { answerKeys, type KeyServer, startKeyServer } from '../support/key-server.ts';
import { drainQueue } from '../support/laptop.ts';
import { newSigner, tokenOf } from '../support/tokens.ts';

/**
 * Tokens that must not be taken, brought to the packaged authorizer by real clients over each protocol. A seeded share
 * of the kinds; all of them with MATRIX=whole.
 */
const rsa = newSigner('rsa-1');
const ec = newSigner('ec-1', 'ES256');
const stranger = newSigner('rsa-1');
const THING = 'probe-1';
const TOPIC = `dt/acme/${THING}/telemetry`;

let laptop: AccessLaptop;
let strangers: KeyServer;
beforeAll(async () => {
  laptop = await bootAccess();
  laptop.issuer.answer = answerKeys(rsa.jwk, ec.jwk);
  strangers = await startKeyServer(stranger.jwk);
});
afterAll(() => Promise.all([laptop.close(), strangers.close()]));

/** Whether a client connects; it is gone again at once. */
const enters = (connecting: ReturnType<typeof connectAsync>): Promise<boolean> =>
  connecting.then(
    async (client) => {
      await client.endAsync();
      return true;
    },
    () => false,
  );

const overMqtt = (options: Partial<IClientOptions>): Promise<boolean> =>
  enters(connectMqtts(laptop, laptop.portOf('custom-mqtt'), THING, options));

const query = (token: string): string => `?${new URLSearchParams({ token })}`;

/** Whether a token lets its bearer in, by what carries it. */
const CARRIERS: Readonly<Record<string, (token: string) => Promise<boolean>>> = {
  'a header of HTTPS, signed as AWS IoT wants it': async (token) => {
    // HTTP takes blanks off the ends, and what is left would be another token
    if (token !== token.trim()) return false;
    const headers = signedParameters(token);
    const posting = post(laptop, laptop.portOf('custom-https'), TOPIC, { headers });
    return (await posting.catch(() => 0)) === 200;
  },
  'the query string of WSS': (token) =>
    enters(
      connectAsync(
        `wss://localhost:${laptop.portOf('custom-wss')}/mqtt${query(token)}`,
        { clientId: THING, ca: laptop.caPem, reconnectPeriod: 0 },
        false,
      ),
    ),
  'the user name of MQTT': (token) => overMqtt({ username: query(token) }),
  'the password of MQTT': (token) => overMqtt({ username: 'probe', password: token }),
};

it.each(Object.entries(CARRIERS))('none is taken in %s', async (_, isTaken) => {
  const now = Math.floor(Date.now() / 1000);
  const times = { iat: now - 60, exp: now + 3_600 };
  expect(await isTaken(tokenOf(rsa, times))).toBe(true);
  const all = hostileTokens({ rsa, ec, stranger, strangerUrl: strangers.url }, now);
  const random = seeded(60);
  const share = process.env['MATRIX'] === 'whole' ? all : all.filter(() => random() < 0.2);
  const taken: string[] = [];
  for (const { kind, text } of share) if (await isTaken(text)) taken.push(kind);
  expect(taken).toEqual([]);
});

it('nothing of them is in a log, among the refusals or the dead letters, and nobody was asked for keys', async () => {
  await laptop.idle();
  const told = JSON.stringify([
    laptop.log,
    laptop.refusals(),
    await drainQueue(laptop, 'dead-letters'),
    await drainQueue(laptop, 'error-actions'),
    await drainQueue(laptop, 'failures'),
  ]);
  for (const reason of ['AUTHORIZER_NOT_AUTHENTICATED', 'FORBIDDEN_HEADER', 'WRONG_CLAIM'])
    expect(told).toContain(reason);
  for (const secret of [CANARY, Buffer.from(CANARY).toString('base64url'), 'eyJ']) {
    expect(told.includes(secret)).toBe(false);
  }
  expect(strangers.requests).toEqual([]);
});
