import type { Packet } from 'mqtt-packet';
import type { BrokerState } from './broker-state.ts';
import { expel, expelFor } from './close.ts';
import { encode } from './codec.ts';
import type { Connection } from './connection.ts';
import { onConnect } from './packets/connect.ts';
import { onDisconnect } from './packets/disconnect.ts';
import { onPingreq } from './packets/pingreq.ts';
import { onPuback } from './packets/puback.ts';
import { onPublish } from './packets/publish.ts';
import { onSubscribe } from './packets/subscribe.ts';
import { onUnsubscribe } from './packets/unsubscribe.ts';
import { ProtocolFault, Reason, ReturnCode, UnknownProtocol } from './reason.ts';
import { packetType } from './structure.ts';

/** Takes what the network brought; whatever is wrong with it ends this connection and no other. */
export function receive(broker: BrokerState, connection: Connection, chunk: Buffer): void {
  if (connection.closed) return;
  try {
    const early = connection.client === undefined;
    if (early && connection.framer.pendingBytes === 0) checkFirst(chunk);
    for (const [index, bytes] of connection.framer.push(chunk).entries()) {
      if (connection.closed) return;
      if (early) checkEarly(bytes, index);
      connection.heardAtMs = broker.now();
      dispatch(broker, connection, connection.decoder.decode(bytes));
    }
  } catch (error) {
    fail(broker, connection, error);
  }
}

/** What does not begin with a CONNECT is sent away by its first byte [MQTT-3.1.0-1]. */
function checkFirst(chunk: Buffer): void {
  const type = packetType(chunk);
  if (type === 'CONNECT') return;
  throw new ProtocolFault(Reason.protocolError, `begins with ${type} instead of CONNECT`);
}

/** The sender of a CONNECT waits for the CONNACK before it sends more. */
function checkEarly(bytes: Buffer, index: number): void {
  if (index === 0) return;
  const problem = `sends ${packetType(bytes)} without waiting for CONNACK`;
  throw new ProtocolFault(Reason.protocolError, problem);
}

function dispatch(broker: BrokerState, connection: Connection, packet: Packet): void {
  const { client } = connection;
  if (client === undefined) {
    if (connection.authenticating) {
      throw new ProtocolFault(Reason.protocolError, 'sends more without waiting for CONNACK');
    }
    if (packet.cmd === 'connect') onConnect(broker, connection, packet);
    return;
  }
  switch (packet.cmd) {
    case 'publish':
      onPublish(broker, connection, client, packet);
      break;
    case 'puback':
      onPuback(broker, client, packet);
      break;
    case 'subscribe':
      onSubscribe(broker, connection, client, packet);
      break;
    case 'unsubscribe':
      onUnsubscribe(broker, connection, client, packet);
      break;
    case 'pingreq':
      onPingreq(connection);
      break;
    case 'disconnect':
      onDisconnect(broker, connection, client, packet);
      break;
    default: {
      const second = packet.cmd === 'connect' ? 'a second CONNECT' : packet.cmd.toUpperCase();
      throw new ProtocolFault(Reason.protocolError, `${second} is not allowed here`);
    }
  }
}

function fail(broker: BrokerState, connection: Connection, error: unknown): void {
  if (error instanceof ProtocolFault) expelFor(broker, connection, error);
  else if (error instanceof UnknownProtocol) {
    const returnCode = ReturnCode.protocolVersion;
    connection.transport.write(encode({ cmd: 'connack', sessionPresent: false, returnCode }, 4));
    expel(broker, connection, Reason.protocolError, error.message);
  } else {
    broker.log({
      level: 'error',
      source: 'gateway',
      message: 'a packet could not be handled',
      error,
    });
    expel(
      broker,
      connection,
      Reason.unspecified,
      'ended by a fault of the gateway',
      'SERVER_ERROR',
    );
  }
}
