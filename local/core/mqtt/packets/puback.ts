import type { IPubackPacket } from 'mqtt-packet';
import type { BrokerState } from '../broker-state.ts';
import type { Client } from '../connection.ts';
import { drainQueue } from '../deliver.ts';

/** PUBACK: the message is done with, whatever code the client gives it; the next one may go. */
export function onPuback(broker: BrokerState, { session }: Client, packet: IPubackPacket): void {
  if (packet.messageId !== undefined) session.inFlight.delete(packet.messageId);
  drainQueue(broker, session);
}
