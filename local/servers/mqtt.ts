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
export function createMqttServer({ broker, authority, registry, tls }: MqttServerOptions): Server {
  const { state } = broker;
  const server = createServer({ ...tlsOptions(tls), noDelay: true });
  server.on('secureConnection', (socket) => {
    const peer = authenticate(socket, registry, state, 'mqtt');
    if (peer === undefined) turnAway(socket);
    else connect(broker, authority, socket, peer);
  });
  server.on('tlsClientError', (error, socket) => reportHandshake(state, error, socket, 'mqtt'));
  return server;
}

function turnAway(socket: TLSSocket): void {
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
