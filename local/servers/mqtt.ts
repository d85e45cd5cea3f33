import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Broker } from '../core/mqtt/broker.ts';
import type { AuthenticatedPeer, Authority } from '../runtime/broker/authority.ts';
import type { RegistryView } from '../runtime/broker/registry-view.ts';
import { connectStream } from './stream-transport.ts';
import { authenticate, reportHandshake, type ServerTls, tlsOptions } from './tls.ts';

export interface MqttServerOptions {
  readonly broker: Broker;
  readonly authority: Authority;
  readonly registry: RegistryView;
  readonly tls: ServerTls;
}

/** MQTT over TLS with client certificates (AWS: port 8883). A peer that is not let in sees its connection closed. */
export function createMqttServer(options: MqttServerOptions): Server {
  const { state } = options.broker;
  const server = createServer({ ...tlsOptions(options.tls), noDelay: true });
  server.on('secureConnection', (socket) => serveMqtt(options, socket));
  server.on('tlsClientError', (error, socket) => reportHandshake(state, error, socket, 'mqtt'));
  return server;
}

/** Puts a TLS peer under the broker, if its certificate is welcome. */
export function serveMqtt(
  { broker, authority, registry }: Omit<MqttServerOptions, 'tls'>,
  socket: TLSSocket,
  domainName?: string,
): void {
  const peer = authenticate(socket, registry, broker.state, 'mqtt');
  if (peer === undefined) turnAway(socket);
  else
    connect(broker, authority, socket, {
      ...peer,
      ...(domainName !== undefined && { domainName }),
    });
}

export function turnAway(socket: TLSSocket): void {
  socket.on('error', () => socket.destroy());
  socket.destroy();
}

function connect(
  broker: Broker,
  authority: Authority,
  socket: TLSSocket,
  peer: AuthenticatedPeer,
): void {
  const { limits, timers } = broker.state;
  connectStream(
    broker,
    socket,
    {
      protocol: 'mqtt',
      principal: peer.certificateId,
      sourceIp: peer.sourceIp,
      accessFor: (clientId) => authority.accessFor(peer, clientId),
    },
    { timers, highWaterBytes: limits.writeBufferBytes },
  );
}
