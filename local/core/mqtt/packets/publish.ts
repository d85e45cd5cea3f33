import type { IPublishPacket } from 'mqtt-packet';
import type { IotAction } from '../access.ts';
import type { BrokerState } from '../broker-state.ts';
import { closeConnection, expel } from '../close.ts';
import { encodePuback } from '../codec.ts';
import type { Client, Connection } from '../connection.ts';
import { deliverTo } from '../deliver.ts';
import { distribute } from '../distribute.ts';
import { type Inbound, inboundProperties } from '../inbound.ts';
import { type Message, type MessageProperties, messageProperties } from '../message.ts';
import { expiryMs, propertiesProblem } from '../property-limits.ts';
import { withinRate } from '../rate.ts';
import { type DisconnectReason, Reason, type ReasonCode } from '../reason.ts';
import { countRefusal, reportBrokerRefusal, reportPolicyRefusal } from '../refusal.ts';
import { reservedPublishProblem } from '../reserved.ts';
import { subjectOf } from '../subject.ts';
import { basicIngest, topicProblem } from '../topic.ts';

/** PUBLISH: limits, reserved topics, policies, then out to subscribers and rules, then PUBACK. */
export function onPublish(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  packet: IPublishPacket,
): void {
  if (isFatal(broker, connection, client, packet)) return;
  const topic = resolveAlias(broker, connection, client, packet);
  if (topic === undefined) return;
  if (isThrottled(broker, connection, client, packet)) return;
  const properties = packet.properties && messageProperties(packet.properties);
  const isService = broker.serviceTopics?.takes(topic) === true;
  const problem = isService ? undefined : publishProblem(broker, topic, properties);
  if (problem !== undefined) {
    reportBrokerRefusal(broker, subjectOf(connection), 'PUBLISH', problem.text);
    refuse(broker, connection, client, packet, problem.code, 'CLIENT_ERROR');
    return;
  }
  if (!isAllowed(broker, connection, client, topic, packet.retain)) {
    refuse(broker, connection, client, packet, Reason.notAuthorized, 'AUTH_ERROR');
    return;
  }
  accept(broker, connection, client, packet, messageOf(broker, client, packet, topic, properties));
}

/** What ends the connection, as AWS has it, rather than just the message. */
function isFatal(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  packet: IPublishPacket,
): boolean {
  const { limits } = broker;
  if (packet.qos === 2) {
    expel(broker, connection, Reason.qosNotSupported, 'PUBLISH with QoS 2; 0 and 1 are supported');
    return true;
  }
  if (packet.payload.length > limits.payloadBytes) {
    const text = `payload of ${packet.payload.length} bytes; at most ${limits.payloadBytes} are allowed`;
    expel(broker, connection, Reason.quotaExceeded, text);
    return true;
  }
  if (packet.qos !== 1 || client.version !== 5 || client.unacknowledged < limits.inFlight)
    return false;
  const text = `more than ${limits.inFlight} QoS 1 messages await their PUBACK`;
  expel(broker, connection, Reason.receiveMaximumExceeded, text);
  return true;
}

/** @returns the topic, or undefined where the connection was closed for its alias [MQTT5 3.3.2.3.4] */
function resolveAlias(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  { topic, properties }: IPublishPacket,
): string | undefined {
  const alias = properties?.topicAlias;
  if (alias === undefined) {
    if (topic !== '' || client.version === 4) return topic;
    expel(broker, connection, Reason.protocolError, 'PUBLISH with neither topic nor topic alias');
    return undefined;
  }
  if (alias < 1 || alias > broker.limits.topicAliases) {
    const text = `topic alias ${alias}; it must be 1 to ${broker.limits.topicAliases}`;
    expel(broker, connection, Reason.topicAliasInvalid, text);
    return undefined;
  }
  if (topic !== '') {
    client.topicAliases.set(alias, topic);
    return topic;
  }
  const known = client.topicAliases.get(alias);
  if (known !== undefined) return known;
  expel(broker, connection, Reason.protocolError, `topic alias ${alias} was never given a topic`);
  return undefined;
}

function isThrottled(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  packet: IPublishPacket,
): boolean {
  const { limits } = broker;
  if (!limits.rates || withinRate(client.rate, limits.publishesPerSecond, broker.now()))
    return false;
  countRefusal(broker, 'THROTTLED');
  if (packet.qos === 1 && client.version === 5) {
    acknowledge(connection, packet, Reason.quotaExceeded);
  }
  return true;
}

/** @returns why this message cannot be published by anyone, with its MQTT 5 code */
export function publishProblem(
  { limits }: BrokerState,
  topic: string,
  properties: MessageProperties | undefined,
): { code: ReasonCode; text: string } | undefined {
  const problem = topicProblem(topic, limits) ?? reservedPublishProblem(topic);
  if (problem !== undefined) {
    return { code: Reason.topicInvalid, text: `topic ${JSON.stringify(topic)} ${problem}` };
  }
  const text = properties && propertiesProblem(properties, limits);
  return text === undefined ? undefined : { code: Reason.quotaExceeded, text };
}

function isAllowed(
  broker: BrokerState,
  connection: Connection,
  { access }: Client,
  topic: string,
  retain: boolean,
): boolean {
  const allows = (action: IotAction): boolean => {
    const { decision } = access.decide(action, topic);
    if (decision.allowed) return true;
    const refused = { action, resource: access.resource(action, topic), decision };
    reportPolicyRefusal(broker, subjectOf(connection), refused);
    return false;
  };
  return allows('iot:Publish') && (!retain || allows('iot:RetainPublish'));
}

/** MQTT 5 can say no to one QoS 1 message; 3.1.1 and QoS 0 cannot, so there the connection ends. */
function refuse(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  packet: IPublishPacket,
  code: ReasonCode,
  reason: DisconnectReason,
): void {
  if (client.version === 5 && packet.qos === 1) acknowledge(connection, packet, code);
  else closeConnection(broker, connection, { reason, code });
}

function acknowledge(
  { closed, transport }: Connection,
  packet: IPublishPacket,
  code: number,
): void {
  if (!closed && packet.messageId !== undefined) {
    transport.write(encodePuback(packet.messageId, code));
  }
}

function messageOf(
  broker: BrokerState,
  client: Client,
  packet: IPublishPacket,
  topic: string,
  properties: MessageProperties | undefined,
): Message {
  const expiry = packet.properties?.messageExpiryInterval;
  const expiresAtMs = expiryMs(expiry, broker.now(), broker.limits);
  return {
    topic,
    payload: Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload),
    qos: packet.qos === 1 ? 1 : 0,
    // reserved topics hold no retained messages, and Basic Ingest is one of them
    retain: packet.retain && basicIngest(topic) === undefined,
    publisher: client.id,
    ...(properties !== undefined && { properties }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  };
}

function inboundOf(
  broker: BrokerState,
  { peer }: Connection,
  client: Client,
  { topic, payload, properties }: Message,
): Inbound {
  return {
    topic,
    payload,
    protocol: 'mqtt',
    principal: peer.principal,
    clientId: client.id,
    sourceIp: peer.sourceIp,
    traceId: broker.uuid(),
    ...(properties !== undefined && { mqtt5: inboundProperties(properties) }),
  };
}

function accept(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  packet: IPublishPacket,
  message: Message,
): void {
  const { accepted } = broker.counters;
  accepted[connection.peer.protocol] += 1;
  const done =
    askService(broker, connection, client, message) ??
    distribute(broker, message, inboundOf(broker, connection, client, message));
  if (message.qos === 1) beginUnacknowledged(broker, connection, client);
  done.then(
    () => message.qos === 1 && settle(broker, connection, client, packet, Reason.success),
    (error: unknown) => failed(broker, connection, client, packet, error),
  );
}

/** @returns nothing for a topic that the service does not answer on */
function askService(
  broker: BrokerState,
  { peer }: Connection,
  { id: clientId, session }: Client,
  { topic, payload }: Message,
): Promise<void> | undefined {
  const { serviceTopics } = broker;
  if (serviceTopics?.takes(topic) !== true) return undefined;
  const asked = { topic, payload, clientId, principal: peer.principal };
  return serviceTopics.ask(asked).then((answer) => {
    const message = { topic: answer.topic, payload: Buffer.from(answer.payload) };
    deliverTo(broker, session, { ...message, qos: 1, retain: false });
  });
}

/** A 3.1.1 client is not told of a receive maximum, so it is simply not read from while too much is open. */
function beginUnacknowledged(broker: BrokerState, connection: Connection, client: Client): void {
  client.unacknowledged += 1;
  if (client.version === 5 || client.unacknowledged < broker.limits.inFlight) return;
  connection.paused = true;
  connection.transport.pause();
}

function settle(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  packet: IPublishPacket,
  code: ReasonCode,
): void {
  client.unacknowledged -= 1;
  acknowledge(connection, packet, code);
  if (!connection.paused || client.unacknowledged >= broker.limits.inFlight) return;
  connection.paused = false;
  connection.transport.resume();
}

/** The rules engine itself broke: the message is not acknowledged, so that the device sends it again. */
function failed(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  packet: IPublishPacket,
  error: unknown,
): void {
  const { topic } = packet;
  broker.log({
    level: 'error',
    source: 'gateway',
    message: 'a message did not reach the rules',
    topic,
    error,
  });
  if (packet.qos !== 1) return;
  if (client.version === 5) settle(broker, connection, client, packet, Reason.unspecified);
  else closeConnection(broker, connection, { reason: 'SERVER_ERROR' });
}
