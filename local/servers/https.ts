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
import type { Authority } from '../runtime/broker/authority.ts';
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

/** Who sends a request, and what they may do. */
export interface HttpClient {
  readonly principal: string;
  readonly sourceIp: string;
  readonly access: Access;
}

/**
 * Says who sends a request; undefined where that cannot be said, of which the operator has been told by then.
 *
 * @param body  reads it whole, once; for signatures, which cover it
 * @throws {HttpError} where the answer is to be another than 401
 */
export type Identify = (
  request: IncomingMessage,
  body: () => Promise<Buffer>,
) => Promise<HttpClient | undefined>;

/** What every HTTP server of the gateway puts up with. */
export const HTTP_OPTIONS = {
  maxHeaderSize: HEADER_BYTES,
  keepAliveTimeout: KEEP_ALIVE_MS,
  requestTimeout: REQUEST_MS,
  noDelay: true,
} as const;

/** HTTPS publish with client certificates (AWS: port 8443): `POST /topics/TOPIC?qos=0|1`. */
export function createHttpsServer(options: HttpsServerOptions): Server {
  const { broker, tls } = options;
  const identify = byCertificate(options);
  const server = createServer({ ...tlsOptions(tls), ...HTTP_OPTIONS }, (request, response) => {
    void answerPublish(broker, identify, request, response);
  });
  server.on('tlsClientError', (error, socket) =>
    reportHandshake(broker.state, error, socket, 'https'),
  );
  server.on('clientError', (error, socket) => answerNonsense(broker, error, socket));
  return server;
}

/** Answers what could not be read as a request at all, and closes. */
export function answerNonsense(
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

/** A certificate is checked once a TLS connection, and again when the registry has changed it. */
export function byCertificate(
  { broker, authority, registry }: Omit<HttpsServerOptions, 'tls'>,
  domainName?: string,
): Identify {
  interface Checked {
    readonly revision: number;
    readonly certificateId: string;
    readonly client: HttpClient;
  }
  const checked = new WeakMap<TLSSocket, Checked>();
  const check = (socket: TLSSocket): Checked | undefined => {
    const peer = authenticate(socket, registry, broker.state, 'https');
    if (peer === undefined) return undefined;
    const { certificateId, sourceIp } = peer;
    const named = domainName === undefined ? peer : { ...peer, domainName };
    const client = { principal: certificateId, sourceIp, access: authority.accessFor(named) };
    return { revision: authority.revision(certificateId), certificateId, client };
  };
  return async ({ socket }) => {
    if (!(socket instanceof TLSSocket)) return undefined;
    const before = checked.get(socket);
    if (before?.revision === authority.revision(before?.certificateId ?? '')) return before?.client;
    const now = check(socket);
    if (now === undefined) checked.delete(socket);
    else checked.set(socket, now);
    return now?.client;
  };
}

/** Answers one request, whatever happens: `{message, traceId}`. */
export async function answerPublish(
  broker: Broker,
  identify: Identify,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const traceId = broker.state.uuid();
  try {
    await publish(broker, identify, request);
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

export function respond(response: ServerResponse, statusCode: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(statusCode, {
    'content-type': 'application/json',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

async function publish(
  broker: Broker,
  identify: Identify,
  request: IncomingMessage,
): Promise<void> {
  const body = readOnce(request, broker.state.limits.payloadBytes);
  const client = await identify(request, body);
  if (client === undefined) throw new HttpError(401, 'Unauthorized');
  const subject = subjectOf(client);
  try {
    const asked = parsePublish(request);
    checkProblems(broker, asked);
    checkAccess(broker, client, subject, asked);
    await accept(broker, client, asked, await body());
  } catch (error) {
    if (error instanceof HttpError && error.statusCode !== 403) {
      reportBrokerRefusal(broker.state, subject, 'HTTPS', error.message);
    }
    throw error;
  }
}

const subjectOf = ({ principal, sourceIp }: HttpClient): Subject => ({
  protocol: 'https',
  principal,
  sourceIp,
});

function readOnce(request: IncomingMessage, limit: number): () => Promise<Buffer> {
  let body: Promise<Buffer> | undefined;
  return () => {
    body ??= readBody(request, limit);
    return body;
  };
}

function checkProblems({ state }: Broker, { topic, properties }: PublishRequest): void {
  const problem = publishProblem(state, topic, properties);
  if (problem !== undefined) throw new HttpError(400, problem.text);
}

/** The device learns that it may not; why not is for the operator. */
function checkAccess(
  { state }: Broker,
  { access }: HttpClient,
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
  { principal, sourceIp }: HttpClient,
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
    principal,
    sourceIp,
    ...(Object.keys(properties).length > 0 && { mqtt5: inboundProperties(properties) }),
  });
}
