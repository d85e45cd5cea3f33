import type { IConnectPacket } from 'mqtt-packet';
import type { Access } from '../access.ts';
import type { BrokerState } from '../broker-state.ts';
import { closeConnection, forgetSession } from '../close.ts';
import { encode } from '../codec.ts';
import type { Client, Connection, Login, Peer, Will } from '../connection.ts';
import { drainQueue } from '../deliver.ts';
import { watchKeepAlive } from '../keep-alive.ts';
import { publishConnected, publishConnectFailed } from '../lifecycle.ts';
import { clampKeepAliveSeconds, type Limits } from '../limits.ts';
import { createRateWindow } from '../rate.ts';
import { Reason, type ReasonCode, ReturnCode, returnCodeOf } from '../reason.ts';
import { type Refused, reportBrokerRefusal, reportPolicyRefusal } from '../refusal.ts';
import { createSession, type Session } from '../session.ts';
import type { ProtocolVersion } from '../structure.ts';
import { subjectOf } from '../subject.ts';
import { readWill, willProblem } from '../will.ts';

/** A CONNECT that has passed everything but the policies. */
interface Asked {
  readonly clientId: string;
  readonly assigned: boolean;
  readonly version: ProtocolVersion;
  readonly will: Will | undefined;
  readonly expirySeconds: number;
  readonly packet: IConnectPacket;
}

interface Problem {
  readonly code: ReasonCode;
  readonly text: string;
}

const versionOf = (packet: IConnectPacket): ProtocolVersion =>
  packet.protocolVersion === 5 ? 5 : 4;

/**
 * CONNECT: checks it, asks the policies, and only then ends an older connection of the same client id,
 * so that nobody can push out a device by its name alone.
 */
export function onConnect(
  broker: BrokerState,
  connection: Connection,
  packet: IConnectPacket,
): void {
  const version = versionOf(packet);
  const problem = connectProblem(packet, version, broker.limits);
  if (problem !== undefined) {
    reportBrokerRefusal(broker, subjectOf(connection), 'CONNECT', problem.text);
    refuse(broker, connection, version, problem.code);
    return;
  }
  const asked = read(broker, packet, version);
  if (connection.peer.authenticate === undefined) decide(broker, connection, asked);
  else authenticate(broker, connection, asked, connection.peer.authenticate);
}

/** Nothing more is read until it is known who this is. */
function authenticate(
  broker: BrokerState,
  connection: Connection,
  asked: Asked,
  ask: NonNullable<Peer['authenticate']>,
): void {
  connection.authenticating = true;
  connection.transport.pause();
  ask(loginOf(asked)).then(
    (peer) => {
      if (connection.closed) return;
      connection.authenticating = false;
      connection.transport.resume();
      if (peer === undefined) turnAway(broker, connection, asked);
      else {
        connection.peer = peer;
        decide(broker, connection, asked);
      }
    },
    (error: unknown) => {
      const message = 'a client could not be authenticated';
      broker.log({ level: 'error', source: 'gateway', message, error });
      closeConnection(broker, connection, { reason: 'SERVER_ERROR' });
    },
  );
}

const loginOf = ({ packet }: Asked): Login => ({
  clientId: packet.clientId,
  ...(packet.username !== undefined && { username: packet.username }),
  ...(packet.password !== undefined && { password: Buffer.from(packet.password) }),
});

function turnAway(broker: BrokerState, connection: Connection, asked: Asked): void {
  publishConnectFailed(broker, connection, asked.clientId);
  refuse(broker, connection, asked.version, Reason.notAuthorized);
}

function decide(broker: BrokerState, connection: Connection, asked: Asked): void {
  const access = connection.peer.accessFor(asked.clientId);
  const refused = refusedBy(access, asked);
  if (refused === undefined && isTooSoon(broker, asked.clientId)) {
    const explanation = `${asked.clientId} connects more than once a second`;
    reportBrokerRefusal(broker, subjectOf(connection), 'THROTTLED', explanation);
    refuse(broker, connection, asked.version, Reason.quotaExceeded);
  } else if (refused === undefined) admit(broker, connection, asked, access);
  else {
    const subject = { ...subjectOf(connection), clientId: asked.clientId };
    reportPolicyRefusal(broker, subject, refused);
    turnAway(broker, connection, asked);
  }
}

const isTooSoon = ({ limits, presence, now }: BrokerState, clientId: string): boolean =>
  limits.rates && presence.sinceConnectMs(clientId, now()) < 1000;

function connectProblem(
  packet: IConnectPacket,
  version: ProtocolVersion,
  limits: Limits,
): Problem | undefined {
  const { authenticationMethod, maximumPacketSize } = packet.properties ?? {};
  if (authenticationMethod !== undefined) {
    return { code: Reason.unspecified, text: 'enhanced authentication (AUTH) is not supported' };
  }
  if (maximumPacketSize !== undefined && maximumPacketSize < limits.clientPacketMinBytes) {
    const text = `Maximum Packet Size is ${maximumPacketSize}; it must be ${limits.clientPacketMinBytes} or more`;
    return { code: Reason.unspecified, text };
  }
  const text = clientIdProblem(packet.clientId, version, limits);
  if (text !== undefined) return { code: Reason.clientIdInvalid, text };
  return packet.will === undefined ? undefined : willProblem(packet.will, limits);
}

function clientIdProblem(
  clientId: string,
  version: ProtocolVersion,
  limits: Limits,
): string | undefined {
  if (clientId === '') {
    return version === 5
      ? undefined
      : 'client id is empty; MQTT 3.1.1 clients must name themselves';
  }
  if (clientId.startsWith('$')) return 'client id begins with $, which is reserved';
  const bytes = Buffer.byteLength(clientId, 'utf8');
  if (bytes <= limits.clientIdBytes) return undefined;
  return `client id is ${bytes} bytes long; at most ${limits.clientIdBytes} are allowed`;
}

function read(broker: BrokerState, packet: IConnectPacket, version: ProtocolVersion): Asked {
  const assigned = packet.clientId === '';
  const clientId = assigned ? broker.uuid() : packet.clientId;
  return {
    clientId,
    assigned,
    version,
    will: readWill(packet.will, clientId, broker.limits),
    expirySeconds: sessionExpiry(packet, version, broker.limits),
    packet,
  };
}

function sessionExpiry(packet: IConnectPacket, version: ProtocolVersion, limits: Limits): number {
  if (version === 4) return packet.clean === false ? limits.sessionExpirySeconds : 0;
  return Math.min(packet.properties?.sessionExpiryInterval ?? 0, limits.sessionExpirySeconds);
}

/** The first of the decisions a CONNECT needs that says no: Connect, then the Will's Publish and RetainPublish. */
function refusedBy(access: Access, { clientId, will, expirySeconds }: Asked): Refused | undefined {
  const willTopic = will?.message.topic;
  const decision = access.connect(clientId, {
    persistent: expirySeconds > 0,
    ...(willTopic !== undefined && { willTopic }),
  });
  if (!decision.allowed) {
    return { action: 'iot:Connect', resource: access.resource('iot:Connect', clientId), decision };
  }
  if (will === undefined) return undefined;
  const actions = [
    'iot:Publish',
    ...(will.message.retain ? ['iot:RetainPublish' as const] : []),
  ] as const;
  for (const action of actions) {
    const { decision: onWill } = access.decide(action, will.message.topic);
    const resource = access.resource(action, will.message.topic);
    if (!onWill.allowed) return { action, resource, decision: onWill };
  }
  return undefined;
}

function refuse(
  broker: BrokerState,
  connection: Connection,
  version: ProtocolVersion,
  code: ReasonCode,
): void {
  const returnCode = returnCodeOf(code);
  if (version === 5) sendConnack(connection, 5, { reasonCode: code });
  else if (returnCode !== undefined) sendConnack(connection, 4, { returnCode });
  closeConnection(broker, connection, { reason: 'AUTH_ERROR' });
}

const sendConnack = (
  { transport }: Connection,
  version: ProtocolVersion,
  code: { reasonCode: number } | { returnCode: number },
): void => transport.write(encode({ cmd: 'connack', sessionPresent: false, ...code }, version));

function admit(broker: BrokerState, connection: Connection, asked: Asked, access: Access): void {
  const { clientId, packet, version } = asked;
  takeOver(broker, clientId);
  const { session, present } = resume(broker, clientId, packet.clean !== false);
  session.expirySeconds = asked.expirySeconds;
  session.connection = connection;
  const client: Client = {
    id: clientId,
    version,
    access,
    session,
    keepAliveSeconds: clampKeepAliveSeconds(packet.keepalive ?? 0, broker.limits),
    receiveMaximum: packet.properties?.receiveMaximum ?? 0xffff,
    packetBytes: packet.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    presenceVersion: broker.presence.connected(clientId, broker.now()),
    topicAliases: new Map(),
    rate: createRateWindow(),
    will: asked.will,
    unacknowledged: 0,
    dropped: 0,
  };
  connection.client = client;
  connection.transport.write(connack(client, asked, present, broker.limits));
  watchKeepAlive(broker, connection, client);
  publishConnected(broker, connection, client);
  drainQueue(broker, session);
}

function takeOver(broker: BrokerState, clientId: string): void {
  const older = broker.sessions.get(clientId)?.connection;
  if (older === undefined) return;
  closeConnection(broker, older, { reason: 'DUPLICATE_CLIENTID', code: Reason.sessionTakenOver });
}

function resume(
  broker: BrokerState,
  clientId: string,
  clean: boolean,
): { session: Session; present: boolean } {
  const before = broker.sessions.get(clientId);
  if (before !== undefined && !clean) {
    before.cancelExpiry();
    broker.delayedWills.get(clientId)?.cancel();
    broker.delayedWills.delete(clientId);
    return { session: before, present: true };
  }
  if (before !== undefined) forgetSession(broker, before);
  const session = createSession(clientId);
  broker.sessions.set(clientId, session);
  return { session, present: false };
}

function connack(client: Client, asked: Asked, sessionPresent: boolean, limits: Limits): Buffer {
  if (client.version === 4) {
    return encode({ cmd: 'connack', sessionPresent, returnCode: ReturnCode.accepted }, 4);
  }
  const properties = {
    sessionExpiryInterval: asked.expirySeconds,
    receiveMaximum: limits.inFlight,
    maximumQoS: 1,
    retainAvailable: true,
    maximumPacketSize: limits.packetBytes,
    topicAliasMaximum: limits.topicAliases,
    wildcardSubscriptionAvailable: true,
    subscriptionIdentifiersAvailable: false,
    sharedSubscriptionAvailable: true,
    serverKeepAlive: client.keepAliveSeconds,
    ...(asked.assigned && { assignedClientIdentifier: client.id }),
  };
  return encode({ cmd: 'connack', sessionPresent, reasonCode: Reason.success, properties }, 5);
}
