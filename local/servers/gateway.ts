import type { X509Certificate } from 'node:crypto';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Endpoint } from '../core/endpoint/index.ts';
import type { Log } from '../core/log.ts';
import { type Broker, createBroker } from '../core/mqtt/broker.ts';
import type { Counters, Timers } from '../core/mqtt/broker-state.ts';
import type { Ending } from '../core/mqtt/close.ts';
import { type Inbound, inboundProperties } from '../core/mqtt/inbound.ts';
import { LAPTOP_LIMITS, type Limits } from '../core/mqtt/limits.ts';
import type { MessageProperties, Qos } from '../core/mqtt/message.ts';
import { publishProblem } from '../core/mqtt/packets/publish.ts';
import { Reason } from '../core/mqtt/reason.ts';
import type { GatewayEvent } from '../core/mqtt/refusal.ts';
import type { ServiceTopics } from '../core/mqtt/service-topics.ts';
import { basicIngest } from '../core/mqtt/topic.ts';
import type { AccessKeys } from '../runtime/access-keys.ts';
import type { Authorizers } from '../runtime/authorizer/authorizers.ts';
import { type Authority, createAuthority } from '../runtime/broker/authority.ts';
import type { Announcement } from '../runtime/broker/just-in-time.ts';
import type { RegistryView } from '../runtime/broker/registry-view.ts';
import { createEndpointServer } from './endpoint.ts';
import { createHttpsServer } from './https.ts';
import { createMqttServer } from './mqtt.ts';
import type { ServerTls } from './tls.ts';
import { createTlsPort } from './tls-port.ts';

export interface GatewayOptions {
  readonly registry: RegistryView;
  readonly accountId: string;
  readonly region: string;
  /** The gateway's own certificate, which devices verify. */
  readonly tls: ServerTls;
  /** Hands a message to the rules engine; QoS 1 and HTTPS are answered when it resolves. */
  readonly publishToRules: (inbound: Inbound) => Promise<void>;
  /** How long changes of certificates and policies take to reach open connections; 0 unless told. */
  readonly propagationDelayMs?: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly uuid: () => string;
  readonly timers: Timers;
  readonly log: Log;
  /** Sees each refusal and lifecycle event as data. */
  readonly onEvent?: (event: GatewayEvent) => void;
  /** Just-in-time registration; without it, there is none. */
  readonly justInTime?: (certificate: X509Certificate) => Announcement | undefined;
  /** Reserved topics that are answered here: of fleet provisioning. */
  readonly serviceTopics?: ServiceTopics | undefined;
  readonly limits?: Partial<Limits>;
  /** What the ports that stand for AWS's 443 need beside; without it there are none. */
  readonly access?: AccessOptions;
}

export interface AccessOptions {
  readonly authorizers: Authorizers;
  readonly keys: AccessKeys;
  /** The account's own endpoint, as its default authorizer stands now. */
  readonly ownEndpoint: () => Endpoint;
  /** Domain configurations; each gets a port of its own and answers to its name on the others. */
  readonly domains: readonly Domain[];
}

export interface Domain {
  readonly endpoint: Endpoint;
  readonly tls: Pick<ServerTls, 'cert' | 'key'>;
}

export interface ListenOptions {
  /** 0 picks a free port. */
  readonly mqttPort: number;
  readonly httpsPort: number;
  /** Stands for AWS's 443 at the account's own endpoint. */
  readonly port443?: number;
  /** The first domain configuration's port; the others follow it. 0 picks free ones. */
  readonly firstDomainPort?: number;
  readonly host: string;
}

export interface Listening {
  readonly mqttPort: number;
  readonly httpsPort: number;
  /** Undefined where the gateway was made without {@link AccessOptions}. */
  readonly port443?: number;
  /** By name of the domain configuration. */
  readonly domainPorts: Readonly<Record<string, number>>;
}

/** A message of the service itself: a rule's republish, a command. */
export interface ServiceMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly properties?: MessageProperties;
  /** What `principal()` gives in rules that see it. */
  readonly principal?: string;
}

export interface Gateway {
  /** Rejects where a port is taken, as Node reports it (`EADDRINUSE`, with the port), and then listens on none. */
  listen(options: ListenOptions): Promise<Listening>;
  /** Publishes to subscribers and rules; rejects where the rules engine does, and with a `RangeError` for a message that cannot be. */
  deliver(message: ServiceMessage): Promise<void>;
  /** Ends the connection of a client id, as DeleteConnection does. @returns whether there was one */
  disconnect(
    clientId: string,
    options?: { preventWillMessage?: boolean; cleanSession?: boolean },
  ): boolean;
  counters(): Counters & { readonly open: number };
  close(): Promise<void>;
}

const DEACTIVATED: Ending = { reason: 'FORBIDDEN_ACCESS', code: Reason.notAuthorized };

/** The device gateway of AWS IoT Core: MQTT, MQTT over WebSocket and HTTPS publish, by any of its credentials. */
export function createGateway(options: GatewayOptions): Gateway {
  const { tls } = options;
  const { now, uuid, timers, log, publishToRules, onEvent = () => undefined } = options;
  const { serviceTopics } = options;
  const ports = {
    ...{ now, uuid, timers, log, publishToRules, onEvent },
    ...(serviceTopics !== undefined && { serviceTopics }),
  };
  const broker = createBroker(ports, { ...LAPTOP_LIMITS, ...options.limits });
  const registry: RegistryView = { ...options.registry, meet: meeting(options, broker) };
  const authority = createAuthority({
    registry,
    accountId: options.accountId,
    region: options.region,
    propagationDelayMs: options.propagationDelayMs ?? 0,
    timers,
    log,
    onDeactivated: (certificateId) =>
      broker.disconnectWhere(({ principal }) => principal === certificateId, DEACTIVATED),
  });
  const mqtt = createMqttServer({ broker, authority, registry, tls });
  const https = createHttpsServer({ broker, authority, registry, tls });
  const front =
    options.access === undefined
      ? undefined
      : createFront({ ...options, registry }, options.access, broker, authority);
  const servers = [mqtt, https, ...(front?.ports ?? [])];
  const destroySockets = servers.filter((server) => server !== https).map(trackSockets);

  return {
    async listen(asked) {
      try {
        return await listenAll({ mqtt, https, front }, asked, log);
      } catch (error) {
        await Promise.all(servers.map(closed));
        throw error;
      }
    },
    deliver: (message) => deliver(broker, message),
    disconnect: (clientId, { preventWillMessage = false, cleanSession = false } = {}) =>
      broker.disconnect(clientId, {
        reason: 'API_INITIATED_DISCONNECT',
        code: Reason.administrative,
        preventWill: preventWillMessage,
        cleanSession,
      }),
    counters: () => ({ ...broker.state.counters, open: broker.state.connections.size }),
    async close() {
      authority.close();
      broker.close();
      https.closeAllConnections();
      front?.close();
      const cancel = timers(CLOSE_MS, () => {
        for (const destroy of destroySockets) destroy();
      });
      await Promise.all(servers.map(closed));
      cancel();
    },
  };
}

interface Front {
  /** Of the account's own endpoint, then of each domain. */
  readonly ports: readonly Server[];
  readonly names: readonly string[];
  readonly close: () => void;
}

/** The ports that stand for 443: one of the account's own endpoint, one a domain configuration. */
function createFront(
  { registry, region, tls }: GatewayOptions,
  { authorizers, keys, ownEndpoint, domains }: AccessOptions,
  broker: Broker,
  authority: Authority,
): Front {
  const server = createEndpointServer({ broker, authority, registry, authorizers, keys, region });
  const byName = new Map(domains.map((each) => [each.endpoint.domainName, each.endpoint]));
  const certificates = new Map(domains.map((each) => [each.endpoint.name, each.tls]));
  const portOf = (own: () => Endpoint): Server =>
    createTlsPort({
      endpointOf: (serverName) => byName.get(serverName ?? '') ?? own(),
      certificateOf: ({ name }) => certificates.get(name) ?? tls,
      serve: server.serve,
      witness: broker.state,
    });
  return {
    ports: [portOf(ownEndpoint), ...domains.map(({ endpoint }) => portOf(() => endpoint))],
    names: domains.map(({ endpoint }) => endpoint.name),
    close: server.close,
  };
}

async function listenAll(
  { mqtt, https, front }: { mqtt: Server; https: Server; front: Front | undefined },
  asked: ListenOptions,
  log: Log,
): Promise<Listening> {
  const { mqttPort, httpsPort, port443 = 0, firstDomainPort = 0, host } = asked;
  const fixed = {
    mqttPort: await listenOn(mqtt, mqttPort, host, log),
    httpsPort: await listenOn(https, httpsPort, host, log),
  };
  const [own, ...others] = front?.ports ?? [];
  if (own === undefined) return { ...fixed, domainPorts: {} };
  const ownPort = await listenOn(own, port443, host, log);
  const domainPorts: Record<string, number> = {};
  for (const [index, server] of others.entries()) {
    const wanted = firstDomainPort === 0 ? 0 : firstDomainPort + index;
    domainPorts[front?.names[index] ?? ''] = await listenOn(server, wanted, host, log);
  }
  return { ...fixed, port443: ownPort, domainPorts };
}

/** Peers that do not close their end are not waited for longer than this. */
const CLOSE_MS = 500;

/** @returns how to end the connections of a server at once, those still in their handshake included */
function trackSockets(server: Server): () => void {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

/** Registers a certificate that waits to be let in, if it may be, and tells subscribers and rules of it. */
const meeting =
  ({ justInTime, log }: GatewayOptions, broker: Broker) =>
  (certificate: X509Certificate): boolean => {
    const announcement = justInTime?.(certificate);
    if (announcement === undefined) return false;
    const { topic, body } = announcement;
    const payload = Buffer.from(JSON.stringify(body));
    const inbound = { topic, payload, protocol: 'mqtt', principal: '', sourceIp: '' } as const;
    broker.publish({ topic, payload, qos: 1, retain: false }, inbound).catch((error: unknown) =>
      log({
        level: 'error',
        source: 'gateway',
        message: `${topic} did not reach the rules`,
        error,
      }),
    );
    return true;
  };

/** The service's own messages need no policy, but they keep to the same topics and sizes. */
async function deliver(broker: Broker, message: ServiceMessage): Promise<void> {
  const { topic, payload, properties, qos = 0, retain = false, principal = '' } = message;
  const { limits, uuid } = broker.state;
  const problem = publishProblem(broker.state, topic, properties)?.text;
  if (problem !== undefined) throw new RangeError(problem);
  if (payload.length > limits.payloadBytes) {
    const sizes = `${payload.length} bytes; at most ${limits.payloadBytes} are allowed`;
    throw new RangeError(`payload for ${JSON.stringify(topic)} has ${sizes}`);
  }
  const mqtt5 = properties && inboundProperties(properties);
  await broker.publish(
    {
      topic,
      payload: Buffer.from(payload),
      qos,
      retain: retain && basicIngest(topic) === undefined,
      ...(properties !== undefined && { properties }),
    },
    {
      topic,
      payload,
      protocol: 'mqtt',
      principal,
      sourceIp: '',
      traceId: uuid(),
      ...(mqtt5 !== undefined && { mqtt5 }),
    },
  );
}

const isPort = (address: AddressInfo | string | null): address is AddressInfo =>
  address !== null && typeof address === 'object';

function listenOn(server: Server, port: number, host: string, log: Log): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', ({ message }) => log({ level: 'error', source: 'gateway', message }));
      const address = server.address();
      resolve(isPort(address) ? address.port : port);
    });
  });
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    if (server.listening) server.close(() => resolve());
    else resolve();
  });
