import type { BrokerState } from './broker-state.ts';
import type { Client, Connection } from './connection.ts';
import { encodePublish, isExpired, type Message } from './message.ts';
import { withinRate } from './rate.ts';
import { reportBrokerRefusal, reportPolicyRefusal } from './refusal.ts';
import { type Delivery, dequeue, enqueue, nextMessageId, type Session } from './session.ts';
import { subjectOf } from './subject.ts';
import type { ShareGroup, Target } from './subscription-index.ts';

/** Hands a message to every subscriber of its topic; no one's fault stops another's delivery. */
export function deliverLocally(broker: BrokerState, message: Message): void {
  const { targets, groups } = broker.subscriptions.match(message.topic);
  if (targets.length === 0 && groups.length === 0) return;
  const encoded: EncodedOnce = new Map();
  for (const target of targets) handOver(broker, target, message, encoded);
  for (const group of groups) handToOne(broker, group, message, encoded);
}

/** Hands a message to one session and no other, if it has subscribed to the topic. */
export function deliverTo(broker: BrokerState, session: Session, message: Message): void {
  const { targets } = broker.subscriptions.match(message.topic);
  for (const target of targets) {
    if (target.session === session) handOver(broker, target, message, new Map());
  }
}

/** QoS 0 packets of one message, which are the same for all clients of a version and retain flag. */
type EncodedOnce = Map<number, Buffer>;

/** The members take turns; one that is away is chosen only where none is there. */
function handToOne(
  broker: BrokerState,
  group: ShareGroup,
  message: Message,
  encoded: EncodedOnce,
): void {
  const members = [...group.members.values()];
  group.turn = (group.turn + 1) % members.length;
  const inTurn = [...members.slice(group.turn), ...members.slice(0, group.turn)];
  const away = ({ session }: Target): boolean => session.connection === undefined;
  const order = [...inTurn.filter((member) => !away(member)), ...inTurn.filter(away)];
  order.some((member) => handOver(broker, member, message, encoded));
}

/** @returns whether this subscriber has it, or will have it when it comes back */
function handOver(
  broker: BrokerState,
  { session, subscription }: Target,
  message: Message,
  encoded: EncodedOnce,
): boolean {
  if (subscription.noLocal && message.publisher === session.clientId) return false;
  const retain = subscription.retainAsPublished && message.retain;
  const qos = message.qos === 1 && subscription.qos === 1 ? 1 : 0;
  const { connection } = session;
  if (qos === 1) return deliverQos1(broker, session, { message, retain });
  if (connection?.client === undefined) return false;
  return deliverQos0(broker, connection, connection.client, { message, retain }, encoded);
}

/** What a new subscription gets of a topic's retained message. */
export function deliverRetained(
  broker: BrokerState,
  session: Session,
  message: Message,
  qos: 0 | 1,
): void {
  const { connection } = session;
  if (connection?.client === undefined) return;
  const delivery = { message, retain: true };
  if (qos === 1 && message.qos === 1) deliverQos1(broker, session, delivery);
  else deliverQos0(broker, connection, connection.client, delivery, new Map());
}

function deliverQos0(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  { message, retain }: Delivery,
  encoded: EncodedOnce,
): boolean {
  if (isExpired(message, broker.now())) return false;
  if (!mayReceive(broker, connection, client, message.topic)) return false;
  if (connection.transport.bufferedBytes > broker.limits.writeBufferBytes) {
    noteDropped(broker, connection, client);
    return false;
  }
  const key = client.version * 2 + Number(retain);
  const bytes =
    encoded.get(key) ??
    encodePublish(message, { qos: 0, retain, version: client.version, nowMs: broker.now() });
  encoded.set(key, bytes);
  return send(broker, connection, client, bytes);
}

function noteDropped(broker: BrokerState, connection: Connection, client: Client): void {
  client.dropped += 1;
  if (client.dropped > 1) return;
  const explanation = `reads slower than messages come: QoS 0 messages are dropped while more than ${broker.limits.writeBufferBytes} bytes wait for it`;
  reportBrokerRefusal(broker, subjectOf(connection), 'SLOW_CONSUMER', explanation);
}

function deliverQos1(broker: BrokerState, session: Session, delivery: Delivery): boolean {
  const { connection } = session;
  const client = session.queue.length === 0 ? connection?.client : undefined;
  if (
    connection !== undefined &&
    client !== undefined &&
    hasRoom(broker, session, connection, client)
  ) {
    return transmit(broker, session, connection, client, delivery);
  }
  if (connection === undefined && session.expirySeconds === 0) return false;
  if (enqueue(session, delivery, broker.limits)) return true;
  const { clientId } = session;
  const message = 'queue of the session is full; a QoS 1 message was dropped';
  broker.log({
    level: 'warn',
    source: 'gateway',
    message,
    clientId,
    topic: delivery.message.topic,
  });
  return false;
}

const hasRoom = (
  { limits }: BrokerState,
  session: Session,
  connection: Connection,
  client: Client,
): boolean =>
  session.inFlight.size < Math.min(client.receiveMaximum, limits.inFlight) &&
  connection.transport.bufferedBytes <= limits.writeBufferBytes;

function transmit(
  broker: BrokerState,
  session: Session,
  connection: Connection,
  client: Client,
  delivery: Delivery,
): boolean {
  const { message, retain } = delivery;
  if (!mayReceive(broker, connection, client, message.topic)) return false;
  const messageId = nextMessageId(session);
  const sending = {
    qos: 1,
    retain,
    messageId,
    version: client.version,
    nowMs: broker.now(),
  } as const;
  if (!send(broker, connection, client, encodePublish(message, sending))) return false;
  session.inFlight.set(messageId, delivery);
  return true;
}

/** Sends on what waited in the session, as far as there is room in flight and on the wire. */
export function drainQueue(broker: BrokerState, session: Session): void {
  const { connection } = session;
  const client = connection?.client;
  if (connection === undefined || client === undefined || connection.closed) return;
  while (session.queue.length > 0 && hasRoom(broker, session, connection, client)) {
    const next = dequeue(session, broker.now());
    if (next !== undefined) transmit(broker, session, connection, client, next);
  }
}

function send(broker: BrokerState, connection: Connection, client: Client, bytes: Buffer): boolean {
  const { limits } = broker;
  // a client that named a maximum packet size is not sent more [MQTT-3.1.2-24]
  if (bytes.length > client.packetBytes) return false;
  if (limits.rates && !withinRate(client.rate, limits.publishesPerSecond, broker.now()))
    return false;
  connection.transport.write(bytes);
  return true;
}

/** iot:Receive is decided on each delivery; a refusal is told once for a topic, not for each message. */
function mayReceive(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  topic: string,
): boolean {
  const { decision, first } = client.access.decide('iot:Receive', topic);
  if (!decision.allowed && first) {
    const resource = client.access.resource('iot:Receive', topic);
    const refused = { action: 'iot:Receive', resource, decision } as const;
    reportPolicyRefusal(broker, subjectOf(connection), refused);
  }
  return decision.allowed;
}
