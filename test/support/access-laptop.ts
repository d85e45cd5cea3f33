import { generateKeyPairSync, sign } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import type { Timers } from '../../local/core/mqtt/broker-state.ts';
import type { Credential } from '../../local/pki/index.ts';
import { manualClock } from '../local/stores/manual-clock.ts';
import { EVERYTHING } from './everything.ts';
import { type KeyServer, startKeyServer } from './key-server.ts';
import { bootLaptop, type TestLaptop } from './laptop.ts';
import type { Template } from './template.ts';
import { goodClaims, goodHeader, ISSUER_NAME, newSigner, signed as signedToken } from './tokens.ts';

const issuer = newSigner('key-1');
const signing = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The laptop with all that can be switched on, an issuer of tokens, and time that passes when it is told to. */
export interface AccessLaptop extends TestLaptop {
  /** Refreshes, ends of connections and propagation wait for this; nothing else does. */
  readonly advance: (ms: number) => void;
  readonly issuer: KeyServer;
  /** Port of a domain configuration: `x509-mqtt`, `custom-wss` … */
  readonly portOf: (domain: string) => number;
}

type Options = Pick<
  NonNullable<Parameters<typeof bootLaptop>[0]>,
  'params' | 'change' | 'propagationDelayMs' | 'faults' | 'onNeed'
>;

export async function bootAccess({ params, change, ...options }: Options = {}) {
  const server = await startKeyServer(issuer.jwk);
  const clock = manualClock();
  const timers: Timers = clock.timer;
  const laptop = await bootLaptop({
    ...options,
    params: params ?? EVERYTHING,
    timers,
    change: (template) => {
      trust(template, server.url);
      hurry(template);
      change?.(template);
    },
  }).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  return {
    ...laptop,
    issuer: server,
    advance: clock.advance,
    portOf: (domain: string): number => {
      const found = laptop.domains.find(({ name }) => name === `tributary-dev-${domain}`);
      if (found === undefined) throw new Error(`there is no domain ${domain}`);
      return found.port;
    },
    close: async () => {
      await laptop.close();
      await server.close();
    },
  } satisfies AccessLaptop;
}

type Properties = Record<string, unknown>;

const propertiesIn = (template: Template, id: string): Properties | undefined =>
  template.Resources[id]?.Properties as Properties | undefined;

/** The stage's issuer and token signing key, which a deployment gets as parameters. */
function trust(template: Template, keysUrl: string): void {
  const issuers = JSON.stringify([{ issuer: ISSUER_NAME, keysUrl, audiences: ['tributary'] }]);
  for (const id of ['AuthorizeLambdaFunction', 'AuthorizeUnsignedLambdaFunction']) {
    const environment = propertiesIn(template, id)?.['Environment'];
    if (environment === undefined) continue;
    Object.assign((environment as { Variables: Properties }).Variables, { ISSUERS: issuers });
  }
  const current = signing.publicKey.export({ type: 'spki', format: 'pem' });
  Object.assign(propertiesIn(template, 'SignedAuthorizer') ?? {}, {
    TokenSigningPublicKeys: { current },
  });
}

/** Nothing waits for a batch to fill. */
function hurry(template: Template): void {
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type === 'AWS::Lambda::EventSourceMapping') {
      Object.assign(Properties ?? {}, { BatchSize: 10, MaximumBatchingWindowInSeconds: 0 });
    }
  }
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** A token of the issuer for a thing of fleet `acme`. */
export const tokenFor = (thing: string, claims: Readonly<Record<string, unknown>> = {}): string =>
  signedToken(
    goodHeader(issuer),
    goodClaims({
      iat: seconds() - 60,
      exp: seconds() + 3_600,
      'custom:thing': thing,
      ...claims,
    }),
    issuer,
  );

/** What AWS IoT checks before it calls the authorizer `signed`. */
export const signatureOf = (token: string): string =>
  sign('RSA-SHA256', Buffer.from(token), signing.privateKey).toString('base64');

export const signedParameters = (token: string, signature = signatureOf(token)) => ({
  token,
  'x-amz-customauthorizer-signature': signature,
});

/** Connects over MQTT, with no certificate unless one is given. */
export const connectMqtts = (
  { caPem }: Pick<AccessLaptop, 'caPem'>,
  port: number,
  clientId: string,
  options: Partial<IClientOptions> = {},
): Promise<MqttClient> =>
  connectAsync(
    `mqtts://localhost:${port}`,
    {
      clientId,
      ca: caPem,
      protocolVersion: 5,
      reconnectPeriod: 0,
      connectTimeout: 10_000,
      ...options,
    },
    false,
  );

export const certificateOf = ({ certificatePem, privateKeyPem }: Credential) => ({
  cert: certificatePem,
  key: privateKeyPem,
});

/** @returns the reason code of the end of an MQTT 5 connection; 0 where the broker gave none */
export const ending = (client: MqttClient): Promise<number> =>
  new Promise((resolve) => {
    let code = 0;
    client.on('disconnect', ({ reasonCode = 0 }) => {
      code = reasonCode;
    });
    client.once('close', () => resolve(code));
  });

interface Post {
  readonly headers?: Readonly<Record<string, string>>;
  readonly identity?: Credential;
  readonly keepAlive?: import('node:https').Agent;
}

/** @returns the status of an HTTPS publish */
export const post = (
  { caPem }: Pick<AccessLaptop, 'caPem'>,
  port: number,
  topic: string,
  { headers = {}, identity, keepAlive }: Post = {},
): Promise<number> =>
  new Promise((resolve, reject) => {
    const call = httpsRequest(
      {
        host: 'localhost',
        port,
        method: 'POST',
        path: `/topics/${topic}?qos=1`,
        ca: caPem,
        headers,
        agent: keepAlive ?? false,
        ...(identity && certificateOf(identity)),
      },
      (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    call.on('error', reject);
    call.end('{"temperature": 21.5}');
  });
