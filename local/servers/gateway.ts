import type { AddressInfo, Server, Socket } from 'node:net';
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
import { basicIngest } from '../core/mqtt/topic.ts';
import { createAuthority } from '../runtime/broker/authority.ts';
import type { RegistryView } from '../runtime/broker/registry-view.ts';
import { createHttpsServer } from './https.ts';
import { createMqttServer } from './mqtt.ts';
import type { ServerTls } from './tls.ts';

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
  readonly limits?: Partial<Limits>;
}

export interface ListenOptions {
  /** 0 picks a free port. */
  readonly mqttPort: number;
  readonly httpsPort: number;
  readonly host: string;
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
  listen(options: ListenOptions): Promise<{ mqttPort: number; httpsPort: number }>;
  /** Publishes to subscribers and rules; rejects where the rules engine does, and with a `RangeError` for a message that cannot be. */
  deliver(message: ServiceMessage): Promise<void>;
  /** Ends the connection of a client id, as DeleteConnection does. @returns whether there was one */
  disconnect(clientId: string, options?: { preventWillMessage?: boolean }): boolean;
  counters(): Counters & { readonly open: number };
  close(): Promise<void>;
}

const DEACTIVATED: Ending = { reason: 'FORBIDDEN_ACCESS', code: Reason.notAuthorized };

/** The device gateway of AWS IoT Core: MQTT and HTTPS publish, both with client certificates. */
export function createGateway(options: GatewayOptions): Gateway {
  const { registry, tls } = options;
  const { now, uuid, timers, log, publishToRules, onEvent = () => undefined } = options;
  const ports = { now, uuid, timers, log, publishToRules, onEvent };
  const broker = createBroker(ports, { ...LAPTOP_LIMITS, ...options.limits });
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
  const destroySockets = trackSockets(mqtt);

  return {
    async listen({ mqttPort, httpsPort, host }) {
      try {
        return {
          mqttPort: await listenOn(mqtt, mqttPort, host, log),
          httpsPort: await listenOn(https, httpsPort, host, log),
        };
      } catch (error) {
        await Promise.all([closed(mqtt), closed(https)]);
        throw error;
      }
    },
    deliver: (message) => deliver(broker, message),
    disconnect: (clientId, { preventWillMessage = false } = {}) =>
      broker.disconnect(clientId, {
        reason: 'API_INITIATED_DISCONNECT',
        code: Reason.administrative,
        preventWill: preventWillMessage,
      }),
    counters: () => ({ ...broker.state.counters, open: broker.state.connections.size }),
    async close() {
      authority.close();
      broker.close();
      https.closeAllConnections();
      const cancel = timers(CLOSE_MS, destroySockets);
      await Promise.all([closed(mqtt), closed(https)]);
      cancel();
    },
  };
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
