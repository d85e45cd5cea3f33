import { randomUUID } from 'node:crypto';
import { connect as connectMqtt, type IClientOptions, type MqttClient } from 'mqtt';
import type { LogEntry } from '../../../local/core/log.ts';
import type { Timers } from '../../../local/core/mqtt/broker-state.ts';
import type { Inbound } from '../../../local/core/mqtt/inbound.ts';
import type { Limits } from '../../../local/core/mqtt/limits.ts';
import type { GatewayEvent } from '../../../local/core/mqtt/refusal.ts';
import {
  type Credential,
  createAuthority,
  issueClient,
  issueServer,
  parseCertificate,
  type Validity,
} from '../../../local/pki/index.ts';
import { type AccessOptions, createGateway, type Gateway } from '../../../local/servers/gateway.ts';
import { createRegistry } from '../../../local/stores/registry.ts';
import { systemTimer } from '../../../local/stores/timer.ts';

const FLEET = 'f1';

const DAY_MS = 86_400_000;
const around = (nowMs: number): Validity => ({
  notBeforeMs: nowMs - DAY_MS,
  notAfterMs: nowMs + DAY_MS,
});

const ACCOUNT = '000000000000';
const REGION = 'eu-central-1';

const arn = (resource: string): string => `arn:aws:iot:${REGION}:${ACCOUNT}:${resource}`;

const variable = (name: string): string => `\${${name}}`;

const THING = variable('iot:Connection.Thing.ThingName');
const OWN_TOPIC = `f1/${THING}/*`;

/** What a device may do unless a test says otherwise: everything under its own topic, by thing name or certificate. */
const DEVICE_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: 'iot:Connect',
      Resource: arn(`client/${THING}`),
      Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } },
    },
    {
      Effect: 'Allow',
      Action: 'iot:Connect',
      Resource: arn(`client/${THING}`),
      Condition: {
        'ForAllValues:StringEquals': {
          'iot:ConnectAttributes': ['PersistentConnect', 'LastWill'],
        },
      },
    },
    {
      Effect: 'Allow',
      Action: ['iot:Publish', 'iot:RetainPublish', 'iot:Receive'],
      Resource: [
        arn(`topic/dt/${OWN_TOPIC}`),
        arn('topic/room/*'),
        arn('topic/$aws/rules/telemetry/*'),
        arn('topic/$aws/events/*'),
        arn('topic/$aws/things/*'),
      ],
    },
    {
      Effect: 'Allow',
      Action: 'iot:Subscribe',
      Resource: [
        arn(`topicfilter/dt/${OWN_TOPIC}`),
        arn('topicfilter/room/*'),
        arn('topicfilter/$share/*'),
        arn('topicfilter/$aws/*'),
      ],
    },
    {
      Effect: 'Allow',
      Action: 'iot:Publish',
      Resource: arn(`topic/dt/f1/${variable('iot:Certificate.Subject.CommonName')}/*`),
    },
  ],
};

const POLICY = 'device';

/** The real registry in memory, in the words of these tests. */
function testRegistry(caPem: string) {
  const registry = createRegistry({ now: Date.now, accountId: ACCOUNT, region: REGION });
  const reading = parseCertificate(caPem);
  const certificateMode = 'DEFAULT';
  registry.addAuthority({ reading, active: true, autoRegistration: false, certificateMode });
  registry.createPolicy(POLICY, JSON.stringify(DEVICE_POLICY));
  let version = registry.policy(POLICY)?.defaultVersionId ?? '';
  return {
    registry,
    /** Registers the thing with its certificate and the policy; a second time it does nothing. */
    add(
      thing: string,
      certificatePem: string,
      status: 'ACTIVE' | 'INACTIVE' | 'PENDING_ACTIVATION' = 'ACTIVE',
      fleet = FLEET,
    ): void {
      const facts = parseCertificate(certificatePem);
      const target = registry.arn.certificate(facts.certificateId);
      if (registry.certificate(facts.certificateId) !== undefined) return;
      if (registry.thing(thing) === undefined) {
        registry.createThing({ thingName: thing, attributes: { fleet } });
      }
      registry.addCertificate({ reading: facts, status });
      registry.attachThingPrincipal(thing, target);
      registry.attachPolicy(POLICY, target);
    },
    setStatus(certificatePem: string, status: string): void {
      registry.updateCertificate(parseCertificate(certificatePem).certificateId, status);
    },
    setPolicy(document: unknown): void {
      const before = version;
      version = registry.createPolicyVersion(POLICY, JSON.stringify(document), true).versionId;
      registry.deletePolicyVersion(POLICY, before);
    },
  };
}

export interface WorldOptions {
  readonly limits?: Partial<Limits>;
  readonly propagationDelayMs?: number;
  readonly publishToRules?: (inbound: Inbound) => Promise<void>;
  readonly access?: AccessOptions;
  readonly timers?: Timers;
  readonly now?: () => number;
  readonly ports?: { readonly mqttPort: number; readonly httpsPort: number };
}

interface Pki {
  readonly ca: Credential;
  readonly server: Credential;
}

let pki: Promise<Pki> | undefined;

async function makePki(): Promise<Pki> {
  const ca = await createAuthority([['CN', 'Test CA']], around(Date.now()));
  const server = await issueServer(ca, ['localhost', '127.0.0.1'], around(Date.now()));
  return { ca, server };
}

/** Certificates are dear and say nothing of a test's state, so one authority serves a whole file. */
export const testPki = (): Promise<Pki> => {
  pki ??= makePki();
  return pki;
};

const devices = new Map<string, Promise<Credential>>();

export async function deviceCertificate(
  thing: string,
  validity: Validity = around(Date.now()),
  fleet = FLEET,
): Promise<Credential> {
  const { ca } = await testPki();
  const subject = [
    ['CN', thing],
    ['O', fleet],
  ] as const;
  const key = `${thing} ${fleet} ${Math.floor(validity.notBeforeMs / DAY_MS)}`;
  const made = devices.get(key) ?? issueClient(ca, subject, validity);
  devices.set(key, made);
  return made;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** A gateway on free ports with a fresh registry, and real clients to use it with. */
export async function openWorld(options: WorldOptions = {}) {
  const { ca, server } = await testPki();
  const registry = testRegistry(ca.certificatePem);
  const log: LogEntry[] = [];
  const events: GatewayEvent[] = [];
  const inbound: Inbound[] = [];
  const clients: MqttClient[] = [];
  const gateway: Gateway = createGateway({
    registry: registry.registry,
    accountId: ACCOUNT,
    region: REGION,
    tls: { cert: server.certificatePem, key: server.privateKeyPem },
    publishToRules: async (message) => {
      inbound.push(message);
      await options.publishToRules?.(message);
    },
    now: options.now ?? Date.now,
    uuid: randomUUID,
    timers: options.timers ?? systemTimer,
    ...(options.access !== undefined && { access: options.access }),
    log: (entry) => log.push(entry),
    onEvent: (event) => events.push(event),
    ...(options.limits !== undefined && { limits: options.limits }),
    ...(options.propagationDelayMs !== undefined && {
      propagationDelayMs: options.propagationDelayMs,
    }),
  });
  const ports = await gateway.listen({
    ...(options.ports ?? { mqttPort: 0, httpsPort: 0 }),
    host: '127.0.0.1',
  });

  const device = async (thing: string, fleet?: string): Promise<Credential> => {
    const credential = await deviceCertificate(thing, undefined, fleet);
    registry.add(thing, credential.certificatePem, undefined, fleet);
    return credential;
  };

  const client = async (
    thing: string,
    more: IClientOptions = {},
    fleet?: string,
  ): Promise<MqttClient> => {
    const { certificatePem, privateKeyPem } = await device(thing, fleet);
    const made = connectMqtt({
      protocol: 'mqtts',
      host: '127.0.0.1',
      port: ports.mqttPort,
      servername: 'localhost',
      ca: ca.certificatePem,
      cert: certificatePem,
      key: privateKeyPem,
      clientId: thing,
      reconnectPeriod: 0,
      connectTimeout: 5000,
      ...more,
    });
    clients.push(made);
    made.on('error', () => undefined);
    return made;
  };

  return {
    gateway,
    registry,
    ports,
    ca,
    log,
    events,
    inbound,
    device,
    client,
    /** Messages that devices sent, without lifecycle events. */
    messages: () => inbound.filter(({ topic }) => !topic.startsWith('$aws/events/')),
    lifecycle: () =>
      events.flatMap((event) => (event.type === 'lifecycle' ? [event.body] : [])) as Record<
        string,
        unknown
      >[],
    async close(): Promise<void> {
      for (const each of clients) each.end(true);
      await gateway.close();
    },
  };
}

/** Resolves when the client's CONNECT is answered; rejects with what the client saw instead. */
export const connected = (client: MqttClient): Promise<MqttClient> =>
  new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.once('error', reject);
    client.once('close', () => reject(new Error('closed')));
  });

/** Waits until the condition holds, and fails with what it was waiting for. */
export async function until(what: string, holds: () => boolean, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
