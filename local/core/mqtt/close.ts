import type { BrokerState } from './broker-state.ts';
import { encode } from './codec.ts';
import type { Client, Connection, Will } from './connection.ts';
import { distribute } from './distribute.ts';
import { publishDisconnected } from './lifecycle.ts';
import type { DisconnectReason, ProtocolFault, ReasonCode } from './reason.ts';
import { reportBrokerRefusal } from './refusal.ts';
import { requeueInFlight, type Session } from './session.ts';
import { subjectOf } from './subject.ts';

export interface Ending {
  readonly reason: DisconnectReason;
  /** DISCONNECT's reason code for an MQTT 5 client; none where the client or the network ended it. */
  readonly code?: ReasonCode;
  readonly preventWill?: boolean;
  /** Forgets the session, however long it was to live. */
  readonly cleanSession?: boolean;
}

/** Ends a connection: DISCONNECT for MQTT 5, lifecycle event, Last Will, what becomes of the session. */
export function closeConnection(broker: BrokerState, connection: Connection, ending: Ending): void {
  if (connection.closed) return;
  connection.closed = true;
  connection.cancelTimer();
  broker.connections.delete(connection);
  const { client, transport } = connection;
  if (client?.version === 5 && ending.code !== undefined) {
    transport.write(encode({ cmd: 'disconnect', reasonCode: ending.code }, 5));
  }
  transport.end();
  if (client !== undefined) depart(broker, connection, client, ending);
}

/** Closes because of what the client did, and tells the operator what that was. */
export function expel(
  broker: BrokerState,
  connection: Connection,
  code: ReasonCode,
  explanation: string,
  reason: DisconnectReason = 'CLIENT_ERROR',
): void {
  if (connection.closed) return;
  reportBrokerRefusal(broker, subjectOf(connection), reason, explanation);
  closeConnection(broker, connection, { reason, code });
}

/** Closes for a packet that could not be read. */
export function expelFor(broker: BrokerState, connection: Connection, fault: ProtocolFault): void {
  expel(broker, connection, fault.code, fault.message);
}

function depart(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  { reason, preventWill = false, cleanSession = false }: Ending,
): void {
  const { session } = client;
  if (cleanSession) session.expirySeconds = 0;
  session.connection = undefined;
  requeueInFlight(session);
  broker.presence.disconnected(client.id, client.presenceVersion, broker.now());
  publishDisconnected(broker, connection, client, reason);
  const { will } = client;
  if (will !== undefined && !preventWill && reason !== 'CLIENT_INITIATED_DISCONNECT') {
    scheduleWill(broker, connection, client, will);
  }
  expireLater(broker, session);
}

/** A Will waits for its delay, but never longer than its session lives [MQTT-3.1.3-9]. */
function scheduleWill(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  will: Will,
): void {
  const { delayedWills } = broker;
  const publish = (): void => {
    delayedWills.delete(client.id);
    publishWill(broker, connection, client, will);
  };
  const delaySeconds = Math.min(will.delaySeconds, client.session.expirySeconds);
  if (delaySeconds === 0) publish();
  else
    delayedWills.set(client.id, { publish, cancel: broker.timers(delaySeconds * 1000, publish) });
}

function publishWill(
  broker: BrokerState,
  { peer }: Connection,
  client: Client,
  { message, expirySeconds }: Will,
): void {
  const { topic, payload } = message;
  const dated =
    expirySeconds === undefined
      ? message
      : { ...message, expiresAtMs: broker.now() + expirySeconds * 1000 };
  const inbound = {
    topic,
    payload,
    protocol: 'mqtt' as const,
    principal: peer.principal,
    clientId: client.id,
    sourceIp: peer.sourceIp,
    traceId: broker.uuid(),
  };
  distribute(broker, dated, inbound).catch((error: unknown) => {
    broker.log({
      level: 'error',
      source: 'gateway',
      message: 'a Last Will did not reach the rules',
      topic,
      error,
    });
  });
}

function expireLater(broker: BrokerState, session: Session): void {
  if (session.expirySeconds === 0) {
    forgetSession(broker, session);
    return;
  }
  const forget = (): void => forgetSession(broker, session);
  session.cancelExpiry = broker.timers(session.expirySeconds * 1000, forget);
}

/** Ends a session: its subscriptions and everything that waited for it. */
export function forgetSession(broker: BrokerState, session: Session): void {
  session.cancelExpiry();
  for (const subscription of session.subscriptions.values()) {
    broker.subscriptions.remove(session, subscription);
  }
  if (broker.sessions.get(session.clientId) === session) broker.sessions.delete(session.clientId);
  broker.delayedWills.get(session.clientId)?.cancel();
  broker.delayedWills.get(session.clientId)?.publish();
}
