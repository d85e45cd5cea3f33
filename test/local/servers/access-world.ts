import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { connect as connectMqtt, type IClientOptions, type MqttClient } from 'mqtt';
import { WebSocket } from 'ws';
import type { Authorizer } from '../../../local/core/authorizer/index.ts';
import { defaultEndpoint, type Endpoint } from '../../../local/core/endpoint/index.ts';
import type { Timers } from '../../../local/core/mqtt/broker-state.ts';
import { compilePolicies } from '../../../local/core/policy/index.ts';
import { issueServer } from '../../../local/pki/index.ts';
import type { AccessKey } from '../../../local/runtime/access-keys.ts';
import { createAuthorizers } from '../../../local/runtime/authorizer/authorizers.ts';
import { answer, authorizer, KEY } from '../core/authorizer/token-world.ts';
import { openWorld as openGateway, testPki, type WorldOptions } from './gateway-world.ts';

const DAY_MS = 86_400_000;
const ARN = 'arn:aws:iot:eu-central-1:000000000000:';

const iam = (...statements: object[]) =>
  compilePolicies(
    [{ name: 'iam', document: { Version: '2012-10-17', Statement: statements } }],
    'iam',
  );

const allow = (Action: string | string[], Resource: string | string[]) => ({
  Effect: 'Allow',
  Action,
  Resource,
});

export const TOKEN = 'session-token+/=';
export const IDENTITY = 'eu-central-1:11111111-2222-4333-8444-555555555555';

/** Keys as `access-keys.ts` knows them: of the operator, of a user held to a room, of a Cognito identity. */
const KEYS: Readonly<Record<string, AccessKey>> = {
  operator: {
    secretAccessKey: 'operator',
    signer: { principal: '000000000000', isOperator: true, policies: iam(allow('*', '*')) },
  },
  AKIDUSER: {
    secretAccessKey: 'user-secret',
    signer: {
      principal: 'AIDAUSER',
      isOperator: false,
      policies: iam(
        allow('iot:Connect', `${ARN}client/user-*`),
        allow(['iot:Publish', 'iot:Receive'], `${ARN}topic/room/*`),
        allow('iot:Subscribe', `${ARN}topicfilter/room/*`),
      ),
    },
  },
  ASIACOGNITO: {
    secretAccessKey: 'cognito-secret',
    sessionToken: TOKEN,
    signer: {
      principal: IDENTITY,
      isOperator: false,
      identityId: IDENTITY,
      policies: iam(allow('iot:*', '*')),
    },
  },
};

const dated = () => ({ notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + DAY_MS });

export const domain = (
  name: string,
  authentication: Endpoint['authentication'],
  application: Endpoint['application'],
  more: Partial<Endpoint> = {},
): Endpoint => ({
  ...defaultEndpoint(undefined),
  name,
  domainName: `${name}.localhost`,
  authentication,
  application,
  ...more,
});

export interface AccessWorldOptions extends Omit<WorldOptions, 'access'> {
  readonly authorizers?: readonly Authorizer[];
  /** The authorizer's function. */
  readonly decide?: (event: Event) => unknown;
  readonly domains?: readonly Endpoint[];
  readonly defaultAuthorizer?: string;
  /** Further keys that may sign, by their id. */
  readonly keys?: Readonly<Record<string, AccessKey>>;
}

/** The event of an authorizer, as far as these tests look at it. */
export interface Event {
  readonly token?: string;
  readonly signatureVerified: boolean;
  readonly protocols: readonly string[];
  readonly protocolData: {
    readonly tls: Record<string, string>;
    readonly http?: { readonly headers: Record<string, string>; readonly queryString: string };
    readonly mqtt?: Record<string, string>;
  };
}

export type AccessWorld = Awaited<ReturnType<typeof openAccessWorld>>;

/** The gateway with ports that stand for 443, authorizers whose function is the test's, and clients for them. */
export async function openAccessWorld(options: AccessWorldOptions = {}) {
  const { ca } = await testPki();
  const known = new Map((options.authorizers ?? [authorizer()]).map((each) => [each.name, each]));
  const events: Event[] = [];
  const authorizers = createAuthorizers({
    find: (name) => known.get(name),
    invoke: async (_, event) => {
      events.push(event as Event);
      const decide = options.decide ?? (() => answer());
      return { ok: true, payload: await decide(event as Event), requestId: 'r' };
    },
    permissions: [
      {
        FunctionName: authorizer().functionArn,
        Action: 'lambda:InvokeFunction',
        Principal: 'iot.amazonaws.com',
        SourceArn: `${ARN}authorizer/*`,
      },
    ],
    accountId: '000000000000',
    sleep: () => new Promise(() => undefined),
  });
  const domains = await Promise.all(
    (options.domains ?? []).map(async (endpoint) => {
      const names = [endpoint.domainName ?? '', 'localhost', '127.0.0.1'];
      const { certificatePem, privateKeyPem } = await issueServer(ca, names, dated());
      return { endpoint, tls: { cert: certificatePem, key: privateKeyPem } };
    }),
  );
  const gateway = await openGateway({
    ...options,
    access: {
      authorizers,
      keys: (id) => options.keys?.[id] ?? KEYS[id],
      ownEndpoint: () => defaultEndpoint(options.defaultAuthorizer),
      domains,
    },
  });
  const port443 = gateway.ports.port443 ?? 0;
  const clients: MqttClient[] = [];
  const opened = (client: MqttClient): MqttClient => {
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  };
  const common: IClientOptions = {
    ca: ca.certificatePem,
    reconnectPeriod: 0,
    connectTimeout: 5000,
  };

  return {
    ...gateway,
    port443,
    authorizerEvents: events,
    credentialRefusals: () =>
      gateway.events.flatMap((event) => (event.type === 'credential-refusal' ? [event] : [])),
    /** A WebSocket client with MQTT in it; `query` begins with its question mark. */
    overWss: (query = '', more: IClientOptions = {}, port = port443) =>
      opened(connectMqtt(`wss://localhost:${port}/mqtt${query}`, { ...common, ...more })),
    /** How the gateway answers the upgrade alone. */
    upgrade: (query = '', headers: Record<string, string> = {}): Promise<number> =>
      new Promise((resolve) => {
        const url = `wss://localhost:${port443}/mqtt${query}`;
        const socket = new WebSocket(url, ['mqtt'], { ca: ca.certificatePem, headers });
        socket.on('error', () => undefined);
        socket.on('unexpected-response', (_, { statusCode = 0 }) => resolve(statusCode));
        socket.on('upgrade', ({ statusCode = 0 }) => resolve(statusCode));
        socket.on('open', () => socket.terminate());
      }),
    /** MQTT over TLS on a port that stands for 443. */
    overTls: (more: IClientOptions & { ALPNProtocols?: string[] }, port = port443) =>
      opened(
        connectMqtt({
          ...common,
          protocol: 'mqtts',
          host: 'localhost',
          servername: 'localhost',
          port,
          ...more,
        }),
      ),
    /** Status and message of an HTTPS request. */
    https: (more: Asked, body = '', port = port443) =>
      ask(
        { host: 'localhost', port, ca: ca.certificatePem, method: 'POST', agent: false, ...more },
        body,
      ),
    async close(): Promise<void> {
      for (const each of clients) each.end(true);
      await gateway.close();
    },
  };
}

export type Asked = RequestOptions & Pick<ConnectionOptions, 'ALPNProtocols'>;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const ask = (options: Asked, body: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const call = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });

/** Headers of a client with a signed token. */
export const signedHeaders = (token = 'abc', name = 'signed') => ({
  'x-amz-customauthorizer-name': name,
  'x-amz-customauthorizer-signature': KEY.sign(token),
  token,
});

export const signedQuery = (token = 'abc', name = 'signed'): string =>
  `?${new URLSearchParams(signedHeaders(token, name)).toString()}`;

/** A policy as `authorize` would answer: one client id, the topics below its room. */
export const roomPolicy = (clientId: string) => ({
  Version: '2012-10-17',
  Statement: [
    allow('iot:Connect', `${ARN}client/${clientId}`),
    allow(['iot:Publish', 'iot:Receive'], `${ARN}topic/room/*`),
    allow('iot:Subscribe', `${ARN}topicfilter/room/*`),
  ],
});

export { answer, authorizer, KEY };

/** Timers that a test fires: `pass` lets time go by. */
export function manualTimers() {
  let nowMs = Date.now();
  const waiting = new Set<{ readonly atMs: number; readonly run: () => void }>();
  const timers: Timers = (ms, run) => {
    const entry = { atMs: nowMs + ms, run };
    waiting.add(entry);
    return () => void waiting.delete(entry);
  };
  return {
    timers,
    now: () => nowMs,
    pass(ms: number): void {
      const end = nowMs + ms;
      for (;;) {
        const [next] = [...waiting]
          .filter(({ atMs }) => atMs <= end)
          .sort((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        waiting.delete(next);
        nowMs = next.atMs;
        next.run();
      }
      nowMs = end;
    },
  };
}

/** Resolves when the client's connection has ended. */
export const closed = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => {
    client.once('close', () => resolve());
  });
