import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Access, IotAction } from '../core/mqtt/access.ts';
import type { Broker } from '../core/mqtt/broker.ts';
import { inboundProperties } from '../core/mqtt/inbound.ts';
import type { Message } from '../core/mqtt/message.ts';
import { publishProblem } from '../core/mqtt/packets/publish.ts';
import { expiryMs } from '../core/mqtt/property-limits.ts';
import { reportBrokerRefusal, reportPolicyRefusal, type Subject } from '../core/mqtt/refusal.ts';
import { basicIngest } from '../core/mqtt/topic.ts';
import type { AuthenticatedPeer, Authority } from '../runtime/broker/authority.ts';
import type { RegistryView } from '../runtime/broker/registry-view.ts';
import { HttpError, type PublishRequest, parsePublish, readBody } from './https-request.ts';
import { authenticate, reportHandshake, type ServerTls, sourceIpOf, tlsOptions } from './tls.ts';

export interface HttpsServerOptions {
  readonly broker: Broker;
  readonly authority: Authority;
  readonly registry: RegistryView;
  readonly tls: ServerTls;
}

/** Room for 8 KB of user properties and as much correlation data, in base64. */
const HEADER_BYTES = 48 * 1024;
const KEEP_ALIVE_MS = 60_000;
const REQUEST_MS = 30_000;

interface Client {
  readonly peer: AuthenticatedPeer;
  readonly access: Access;
}

/** HTTPS publish with client certificates (AWS: port 8443): `POST /topics/TOPIC?qos=0|1`. */
export function createHttpsServer(options: HttpsServerOptions): Server {
  const { broker, tls } = options;
  const clientOf = createClients(options);
  const server = createServer(
    {
      ...tlsOptions(tls),
      maxHeaderSize: HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: REQUEST_MS,
      noDelay: true,
    },
    (request, response) => {
      void answer(broker, clientOf, request, response);
    },
  );
  server.on('tlsClientError', (error, socket) =>
    reportHandshake(broker.state, error, socket, 'https'),
  );
  server.on('clientError', (error, socket) => answerNonsense(broker, error, socket));
  return server;
}

/** Answers what could not be read as a request at all, and closes. */
function answerNonsense(
  { state }: Broker,
  { code, message }: Error & { code?: string },
  socket: Duplex,
): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const sourceIp = socket instanceof TLSSocket ? sourceIpOf(socket) : '';
  const subject: Subject = { protocol: 'https', principal: '', sourceIp };
  reportBrokerRefusal(state, subject, 'HTTP', `sent what is no HTTP request: ${message}`);
  const body = JSON.stringify({ message: 'not an HTTP request', traceId: state.uuid() });
  const head = [
    'HTTP/1.1 400 Bad Request',
    'connection: close',
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

type Clients = (socket: TLSSocket) => Client | undefined;

/** A certificate is checked once a TLS connection, and again when the registry has changed it. */
function createClients({ broker, authority, registry }: HttpsServerOptions): Clients {
  const checked = new WeakMap<TLSSocket, { revision: number; client: Client | undefined }>();
  const check = (socket: TLSSocket): Client | undefined => {
    const peer = authenticate(socket, registry, broker.state, 'https');
    return peer === undefined ? undefined : { peer, access: authority.accessFor(peer) };
  };
  return (socket) => {
    const before = checked.get(socket);
    const certificateId = before?.client?.peer.certificateId;
    const revision = certificateId === undefined ? -1 : authority.revision(certificateId);
    if (before?.client !== undefined && before.revision === revision) return before.client;
    const client = check(socket);
    const now = client === undefined ? -1 : authority.revision(client.peer.certificateId);
    checked.set(socket, { revision: now, client });
    return client;
  };
}

/** Answers one request, whatever happens: `{message, traceId}`. */
async function answer(
  broker: Broker,
  clientOf: Clients,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const traceId = broker.state.uuid();
  try {
    await publish(broker, clientOf, request);
    respond(response, 200, { message: 'OK', traceId });
  } catch (error) {
    if (error instanceof HttpError) {
      if (!request.complete) response.setHeader('connection', 'close');
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
      respond(response, error.statusCode, { message: error.message, traceId });
      return;
    }
    broker.state.log({
      level: 'error',
      source: 'gateway',
      message: 'an HTTPS publish failed',
      traceId,
      error,
    });
    respond(response, 500, { message: 'Internal Failure', traceId });
  }
}

function respond(response: ServerResponse, statusCode: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(statusCode, {
    'content-type': 'application/json',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

async function publish(broker: Broker, clientOf: Clients, request: IncomingMessage): Promise<void> {
  const { socket } = request;
  const client = socket instanceof TLSSocket ? clientOf(socket) : undefined;
  if (client === undefined) throw new HttpError(401, 'Unauthorized');
  const subject: Subject = {
    protocol: 'https',
    principal: client.peer.certificateId,
    sourceIp: client.peer.sourceIp,
  };
  try {
    const asked = parsePublish(request);
    checkProblems(broker, asked);
    checkAccess(broker, client, subject, asked);
    const payload = await readBody(request, broker.state.limits.payloadBytes);
    await accept(broker, client, asked, payload);
  } catch (error) {
    if (error instanceof HttpError && error.statusCode !== 403) {
      reportBrokerRefusal(broker.state, subject, 'HTTPS', error.message);
    }
    throw error;
  }
}

function checkProblems({ state }: Broker, { topic, properties }: PublishRequest): void {
  const problem = publishProblem(state, topic, properties);
  if (problem !== undefined) throw new HttpError(400, problem.text);
}

/** The device learns that it may not; why not is for the operator. */
function checkAccess(
  { state }: Broker,
  { access }: Client,
  subject: Subject,
  { topic, retain }: PublishRequest,
): void {
  const actions: IotAction[] = retain ? ['iot:Publish', 'iot:RetainPublish'] : ['iot:Publish'];
  for (const action of actions) {
    const { decision } = access.decide(action, topic);
    if (decision.allowed) continue;
    const resource = access.resource(action, topic);
    reportPolicyRefusal(state, subject, { action, resource, decision });
    throw new HttpError(403, 'Forbidden');
  }
}

function accept(
  broker: Broker,
  { peer }: Client,
  asked: PublishRequest,
  payload: Buffer,
): Promise<void> {
  const { topic, qos, retain, properties } = asked;
  const { state } = broker;
  const expiresAtMs = expiryMs(asked.messageExpirySeconds, state.now(), state.limits);
  const message: Message = {
    topic,
    payload,
    qos,
    retain: retain && basicIngest(topic) === undefined,
    properties,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  };
  state.counters.accepted.https += 1;
  return broker.publish(message, {
    topic,
    payload,
    protocol: 'https',
    principal: peer.certificateId,
    sourceIp: peer.sourceIp,
    ...(Object.keys(properties).length > 0 && { mqtt5: inboundProperties(properties) }),
  });
}
