import type { IUnsubscribePacket } from 'mqtt-packet';
import type { BrokerState } from '../broker-state.ts';
import { encode } from '../codec.ts';
import type { Client, Connection } from '../connection.ts';
import { publishSubscriptions } from '../lifecycle.ts';
import { Reason } from '../reason.ts';

/** UNSUBSCRIBE needs no right; a filter that was not subscribed to counts as removed, as on AWS. */
export function onUnsubscribe(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  { messageId, unsubscriptions }: IUnsubscribePacket,
): void {
  const removed = unsubscriptions.filter((text) => remove(broker, client, text));
  const granted = unsubscriptions.map(() => Reason.success);
  connection.transport.write(
    encode(
      { cmd: 'unsuback', granted, ...(messageId !== undefined && { messageId }) },
      client.version,
    ),
  );
  if (removed.length > 0) publishSubscriptions(broker, connection, client, 'unsubscribed', removed);
}

function remove(broker: BrokerState, { session }: Client, text: string): boolean {
  const subscription = session.subscriptions.get(text);
  if (subscription === undefined) return false;
  session.subscriptions.delete(text);
  broker.subscriptions.remove(session, subscription);
  return true;
}
