import type { IDisconnectPacket } from 'mqtt-packet';
import type { BrokerState } from '../broker-state.ts';
import { closeConnection, expel } from '../close.ts';
import type { Client, Connection } from '../connection.ts';
import { Reason } from '../reason.ts';

/** DISCONNECT: the client's own wish, so its Will is dropped unless it asks for it with code 4. */
export function onDisconnect(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  { reasonCode = Reason.success, properties }: IDisconnectPacket,
): void {
  const expiry = properties?.sessionExpiryInterval;
  if (expiry !== undefined && expiry > 0 && client.session.expirySeconds === 0) {
    const text = 'DISCONNECT gives a session an expiry that CONNECT had not [MQTT-3.1.2-26]';
    expel(broker, connection, Reason.protocolError, text);
    return;
  }
  if (expiry !== undefined) {
    client.session.expirySeconds = Math.min(expiry, broker.limits.sessionExpirySeconds);
  }
  const reason = reasonCode === Reason.success ? 'CLIENT_INITIATED_DISCONNECT' : 'CLIENT_ERROR';
  closeConnection(broker, connection, { reason });
}
