import type { BrokerPorts, BrokerState, Counters } from './broker-state.ts';
import { closeConnection, type Ending } from './close.ts';
import { createDecoder } from './codec.ts';
import type { Connection, Peer, Transport } from './connection.ts';
import { drainQueue } from './deliver.ts';
import { distribute } from './distribute.ts';
import { createFramer } from './framer.ts';
import type { Inbound } from './inbound.ts';
import { watchConnect } from './keep-alive.ts';
import type { Limits } from './limits.ts';
import type { Message } from './message.ts';
import { createPresenceVersions } from './presence.ts';
import { Reason } from './reason.ts';
import { receive } from './receive.ts';
import { createRetainedStore } from './retained.ts';
import { createSubscriptionIndex } from './subscription-index.ts';

/** What a transport tells the broker of one connection. */
export interface ConnectionHandle {
  data(chunk: Buffer): void;
  /** The write buffer has room again. */
  drained(): void;
  /** The network connection has ended, by whomever. */
  closed(): void;
}

export interface Broker {
  readonly state: BrokerState;
  /** Takes a stream that has been authenticated: TLS today, WebSocket alike. */
  accept(transport: Transport, peer: Peer): ConnectionHandle;
  /** Sends out a message that is already allowed: HTTPS publish, republish, the service's own. */
  publish(message: Message, inbound: Inbound): Promise<void>;
  /** Ends the connection of a client id. @returns whether there was one */
  disconnect(clientId: string, ending: Ending): boolean;
  /** Ends every connection that the test picks. */
  disconnectWhere(picks: (peer: Peer) => boolean, ending: Ending): void;
  /** Ends all connections and timers; Wills are sent, sessions forgotten. */
  close(): void;
}

const createCounters = (): Counters => ({ accepted: { mqtt: 0, wss: 0, https: 0 }, refused: {} });

const nothing = (): void => undefined;

/** The message broker of AWS IoT Core, without sockets, clock or disk. */
export function createBroker(ports: BrokerPorts, limits: Limits): Broker {
  const state: BrokerState = {
    ...ports,
    limits,
    sessions: new Map(),
    subscriptions: createSubscriptionIndex(),
    retained: createRetainedStore(limits),
    connections: new Set(),
    presence: createPresenceVersions(),
    delayedWills: new Map(),
    counters: createCounters(),
  };

  return {
    state,
    accept: (transport, peer) => accept(state, transport, peer),
    publish: (message, inbound) => distribute(state, message, inbound),
    disconnect(clientId, ending) {
      const connection = state.sessions.get(clientId)?.connection;
      if (connection !== undefined) closeConnection(state, connection, ending);
      return connection !== undefined;
    },
    disconnectWhere(picks, ending) {
      for (const connection of state.connections) {
        if (picks(connection.peer)) closeConnection(state, connection, ending);
      }
    },
    close: () => close(state),
  };
}

function accept(state: BrokerState, transport: Transport, peer: Peer): ConnectionHandle {
  const connection: Connection = {
    id: state.uuid(),
    peer,
    transport,
    framer: createFramer(state.limits.packetBytes),
    decoder: createDecoder(),
    client: undefined,
    closed: false,
    authenticating: false,
    paused: false,
    heardAtMs: state.now(),
    cancelTimer: nothing,
  };
  state.connections.add(connection);
  watchConnect(state, connection);
  return {
    data: (chunk) => receive(state, connection, chunk),
    drained: () => {
      if (connection.client === undefined) return;
      connection.client.dropped = 0;
      drainQueue(state, connection.client.session);
    },
    closed: () => closeConnection(state, connection, { reason: 'CONNECTION_LOST' }),
  };
}

function close(state: BrokerState): void {
  const ending: Ending = { reason: 'SERVER_INITIATED_DISCONNECT', code: Reason.serverShuttingDown };
  for (const connection of state.connections) closeConnection(state, connection, ending);
  for (const session of state.sessions.values()) session.cancelExpiry();
  for (const will of state.delayedWills.values()) will.cancel();
}
