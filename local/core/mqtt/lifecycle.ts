import type { BrokerState } from './broker-state.ts';
import type { Client, Connection } from './connection.ts';
import { distribute } from './distribute.ts';
import type { DisconnectReason } from './reason.ts';

type EventKind =
  | 'presence/connected'
  | 'presence/disconnected'
  | 'presence/connect_failed'
  | 'subscriptions/subscribed'
  | 'subscriptions/unsubscribed';

/**
 * Publishes a lifecycle event to subscribers and rules. Clients whose id holds `#` or `+` get none.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html
 */
function publishEvent(
  broker: BrokerState,
  { id, peer }: Connection,
  clientId: string,
  kind: EventKind,
  details: object,
): void {
  if (/[#+]/.test(clientId)) return;
  const topic = `$aws/events/${kind}/${clientId}`;
  const body = {
    clientId,
    timestamp: broker.now(),
    eventType: kind.slice(kind.indexOf('/') + 1),
    sessionIdentifier: id,
    principalIdentifier: peer.principal,
    ...details,
  };
  const payload = Buffer.from(JSON.stringify(body));
  broker.onEvent({ type: 'lifecycle', topic, body });
  const inbound = {
    topic,
    payload,
    protocol: 'mqtt' as const,
    principal: peer.principal,
    sourceIp: peer.sourceIp,
  };
  distribute(broker, { topic, payload, qos: 1, retain: false }, inbound).catch((error: unknown) => {
    broker.log({
      level: 'error',
      source: 'gateway',
      message: `${topic} did not reach the rules`,
      error,
    });
  });
}

export const publishConnected = (
  broker: BrokerState,
  connection: Connection,
  client: Client,
): void =>
  publishEvent(broker, connection, client.id, 'presence/connected', {
    ipAddress: connection.peer.sourceIp,
    versionNumber: client.presenceVersion,
  });

export const publishDisconnected = (
  broker: BrokerState,
  connection: Connection,
  client: Client,
  disconnectReason: DisconnectReason,
): void =>
  publishEvent(broker, connection, client.id, 'presence/disconnected', {
    clientInitiatedDisconnect: disconnectReason === 'CLIENT_INITIATED_DISCONNECT',
    disconnectReason,
    versionNumber: client.presenceVersion,
  });

export const publishConnectFailed = (
  broker: BrokerState,
  connection: Connection,
  clientId: string,
): void =>
  publishEvent(broker, connection, clientId, 'presence/connect_failed', {
    connectFailureReason: 'AUTHORIZATION_FAILED',
    ipAddress: connection.peer.sourceIp,
  });

export const publishSubscriptions = (
  broker: BrokerState,
  connection: Connection,
  client: Client,
  kind: 'subscribed' | 'unsubscribed',
  topics: readonly string[],
): void => publishEvent(broker, connection, client.id, `subscriptions/${kind}`, { topics });
