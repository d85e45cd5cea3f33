import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Credentials, Endpoint, Service } from '../core/endpoint/index.ts';
import type { Peer } from '../core/mqtt/connection.ts';
import { Reason } from '../core/mqtt/reason.ts';
import { reportBrokerRefusal, reportCredentialRefusal } from '../core/mqtt/refusal.ts';
import { isSigned } from '../core/sigv4/index.ts';
import type { Authorization } from '../runtime/authorizer/authorizers.ts';
import {
  answerNonsense,
  answerPublish,
  byCertificate,
  HTTP_OPTIONS,
  type HttpClient,
  type Identify,
} from './https.ts';
import { answerConnections, isConnectionCall } from './https-connections.ts';
import { HttpError } from './https-request.ts';
import {
  type Applicant,
  askAuthorizer,
  commonPart,
  type Doorkeeper,
  granted,
  identifySigner,
  originOf,
  presentedBy,
  reportAuthorizer,
  showsCredentials,
  signedRequestOf,
  tlsOf,
  undecided,
} from './identify.ts';
import { serveMqtt, turnAway } from './mqtt.ts';
import { connectStream } from './stream-transport.ts';
import { authenticate, serverNameOf, sourceIpOf } from './tls.ts';
import { asksForMqtt, createUpgrade } from './websocket.ts';

/** WebSocket connections end after a day, whatever they do (AWS General Reference, protocol quotas). */
const WEBSOCKET_MS = 86_400_000;

interface Agreed {
  readonly endpoint: Endpoint;
  readonly service: Service;
}

export interface EndpointServer {
  /** Speaks with a client whose handshake is done. */
  readonly serve: (socket: TLSSocket, endpoint: Endpoint, service: Service) => void;
  readonly close: () => void;
}

/** MQTT, MQTT over WebSocket and HTTPS publish by whatever credentials an endpoint takes. */
export function createEndpointServer(doorkeeper: Doorkeeper): EndpointServer {
  const agreements = new WeakMap<TLSSocket, Agreed>();
  const http = createHttp(doorkeeper, (socket) => {
    const found = agreements.get(socket);
    if (found === undefined) throw new Error('a request came from nowhere');
    return found;
  });
  return {
    serve(socket, endpoint, service) {
      if (service.protocol === 'mqtt') serveSecureMqtt(doorkeeper, socket, endpoint, service);
      else {
        agreements.set(socket, { endpoint, service });
        http.emit('connection', socket);
      }
    },
    close: () => {
      http.closeAllConnections();
      http.close();
    },
  };
}

function serveSecureMqtt(
  doorkeeper: Doorkeeper,
  socket: TLSSocket,
  endpoint: Endpoint,
  { credentials }: Service,
): void {
  if (credentials.includes('x509')) {
    serveMqtt(doorkeeper, socket, endpoint.domainName);
    return;
  }
  const { broker, registry } = doorkeeper;
  const peer = credentials.includes('custom-x509')
    ? authenticate(socket, registry, broker.state, 'mqtt')
    : undefined;
  if (credentials.includes('custom-x509') && peer === undefined) {
    turnAway(socket);
    return;
  }
  if (serverNameOf(socket) === undefined) {
    const explanation = 'custom authentication over MQTT needs a server name (SNI)';
    reportCredentialRefusal(broker.state, {
      protocol: 'mqtt',
      sourceIp: sourceIpOf(socket),
      reason: 'NO_SNI',
      explanation,
    });
    turnAway(socket);
    return;
  }
  const applicant: Applicant = {
    presented: { transport: 'mqtt', ...commonPart(socket, peer) },
    choice: endpoint.authorizers,
    origin: originOf(socket, endpoint),
    ...(peer !== undefined && { certificateId: peer.certificateId }),
  };
  attach(doorkeeper, socket, undecided(doorkeeper, applicant, socket));
}

function attach({ broker }: Doorkeeper, stream: Duplex, peer: Peer): void {
  const { limits, timers } = broker.state;
  connectStream(broker, stream, peer, { timers, highWaterBytes: limits.writeBufferBytes });
}

type AgreementOf = (socket: TLSSocket) => Agreed;

function createHttp(doorkeeper: Doorkeeper, agreementOf: AgreementOf): Server {
  const { broker } = doorkeeper;
  const identify = identifyPublisher(doorkeeper, agreementOf);
  const upgrade = createUpgrade((request) => {
    const sourceIp = sourceIpOf(tlsOf(request));
    const subject = { protocol: 'wss', principal: '', sourceIp } as const;
    reportBrokerRefusal(broker.state, subject, 'WEBSOCKET', 'sends a text frame; MQTT is binary');
  });
  const server = createServer(HTTP_OPTIONS, (request, response) => {
    void answer(doorkeeper, agreementOf, identify, request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    openWebSocket(doorkeeper, agreementOf, request).then(
      (peerOn) =>
        upgrade(request, socket, head, (stream) => attachWebSocket(doorkeeper, stream, peerOn)),
      (error: unknown) => refuseUpgrade(doorkeeper, request, socket, error),
    );
  });
  server.on('clientError', (error, socket) => answerNonsense(broker, error, socket));
  // a server that is handed its connections minds its timeouts only once it believes that it listens
  server.emit('listening');
  return server;
}

async function answer(
  doorkeeper: Doorkeeper,
  agreementOf: AgreementOf,
  identify: Identify,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { service } = agreementOf(tlsOf(request));
  if (isConnectionCall(request) && wayOf(service.credentials, request) === 'sigv4') {
    await answerConnections(doorkeeper.broker, identify, request, response);
    return;
  }
  const pinned: Identify = async (asked, body) => {
    if (service.uses.includes('publish')) return identify(asked, body);
    throw new HttpError(404, 'this endpoint takes MQTT over WebSocket at /mqtt, and no publish');
  };
  await answerPublish(doorkeeper.broker, pinned, request, response);
}

function identifyPublisher(doorkeeper: Doorkeeper, agreementOf: AgreementOf): Identify {
  const { authority } = doorkeeper;
  const byAuthorizer = authorizedPublisher(doorkeeper, agreementOf);
  const certificates = new Map<string | undefined, Identify>();
  const byCertificateOf = (domainName: string | undefined): Identify => {
    const known = certificates.get(domainName) ?? byCertificate(doorkeeper, domainName);
    certificates.set(domainName, known);
    return known;
  };
  const bySignature: Identify = async (request, body) => {
    const signer = identifySigner(doorkeeper, request, await body(), 'https');
    const origin = originOf(tlsOf(request), agreementOf(tlsOf(request)).endpoint);
    const { principal } = signer;
    const access = authority.accessForSigner(signer, origin);
    return { principal, sourceIp: origin.sourceIp, access };
  };
  return (request, body) => {
    const { endpoint, service } = agreementOf(tlsOf(request));
    if (service.credentials.includes('x509'))
      return byCertificateOf(endpoint.domainName)(request, body);
    const way = wayOf(service.credentials, request);
    return way === 'sigv4' ? bySignature(request, body) : byAuthorizer(request, body);
  };
}

/** Signed requests are held to their signature, all others to an authorizer, as far as the endpoint takes both. */
function wayOf(taken: readonly Credentials[], request: IncomingMessage): 'sigv4' | 'custom' {
  if (!taken.includes('sigv4')) return 'custom';
  if (!taken.includes('custom')) return 'sigv4';
  return isSigned(signedRequestOf(request, Buffer.alloc(0))) ? 'sigv4' : 'custom';
}

interface Kept {
  readonly authorization: Authorization;
  readonly untilMs: number;
}

/**
 * Each request is decided by the authorizer, unless it caches for HTTP: then once for what the same connection
 * shows again, for as long as the grant stands.
 */
function authorizedPublisher(doorkeeper: Doorkeeper, agreementOf: AgreementOf): Identify {
  const { broker, registry, authority } = doorkeeper;
  const kept = new WeakMap<TLSSocket, Map<string, Kept>>();

  const authorization = async (socket: TLSSocket, applicant: Applicant): Promise<Authorization> => {
    const mine = kept.get(socket) ?? new Map<string, Kept>();
    kept.set(socket, mine);
    const key = JSON.stringify(shown(applicant));
    const nowMs = broker.state.now();
    const before = mine.get(key);
    if (before !== undefined && nowMs < before.untilMs) return before.authorization;
    const fresh = await askAuthorizer(doorkeeper, applicant);
    const seconds = Math.min(fresh.refreshAfterSeconds, fresh.disconnectAfterSeconds);
    if (fresh.authorizer.enableCachingForHttp) {
      mine.clear();
      mine.set(key, { authorization: fresh, untilMs: nowMs + seconds * 1000 });
    }
    return fresh;
  };

  return async (request): Promise<HttpClient | undefined> => {
    const socket = tlsOf(request);
    const { endpoint, service } = agreementOf(socket);
    const certified = service.credentials.includes('custom-x509');
    const peer = certified ? authenticate(socket, registry, broker.state, 'https') : undefined;
    if (certified && peer === undefined) return undefined;
    const origin = originOf(socket, endpoint);
    const certificateId = peer?.certificateId;
    const applicant: Applicant = {
      presented: presentedBy(request, 'https', peer),
      choice: endpoint.authorizers,
      origin,
      ...(certificateId !== undefined && { certificateId }),
    };
    try {
      const current = await authorization(socket, applicant);
      const held = { current, revision: 0 };
      const access = authority.accessForGrant(held, origin, undefined, certificateId);
      return { principal: current.principalId, sourceIp: origin.sourceIp, access };
    } catch (error) {
      reportAuthorizer(doorkeeper, applicant, error);
      return undefined;
    }
  };
}

/** All that a decision may rest on; what differs from message to message of the same client is left out. */
function shown({ presented: { http } }: Applicant): unknown {
  const headers = Object.entries(http?.headers ?? {}).filter(
    ([name]) => !/^(?:content-length|content-type|date|x-amz-mqtt5-.*)$/i.test(name),
  );
  const query = new URLSearchParams(http?.queryString ?? '');
  for (const name of ['qos', 'retain', 'contentType', 'responseTopic', 'messageExpiry'])
    query.delete(name);
  return [headers, query.toString()];
}

/** Makes the peer once its WebSocket is open. */
type PeerOn = (stream: Duplex) => Peer;

/** @throws {HttpError} where the connection is not to be upgraded */
async function openWebSocket(
  doorkeeper: Doorkeeper,
  agreementOf: AgreementOf,
  request: IncomingMessage,
): Promise<PeerOn> {
  const socket = tlsOf(request);
  const { endpoint, service } = agreementOf(socket);
  checkUpgrade(request, service);
  const origin = originOf(socket, endpoint);
  if (wayOf(service.credentials, request) === 'sigv4') {
    const signer = identifySigner(doorkeeper, request, Buffer.alloc(0), 'wss');
    const { authority } = doorkeeper;
    return () => ({
      protocol: 'wss',
      principal: signer.principal,
      sourceIp: origin.sourceIp,
      accessFor: (clientId) => authority.accessForSigner(signer, origin, clientId),
    });
  }
  const presented = presentedBy(request, 'wss');
  const applicant: Applicant = { presented, choice: endpoint.authorizers, origin };
  if (!showsCredentials(doorkeeper, presented, endpoint.authorizers))
    return (stream) => undecided(doorkeeper, applicant, stream);
  try {
    const first = await askAuthorizer(doorkeeper, applicant);
    return (stream) => granted(doorkeeper, applicant, first, stream);
  } catch (error) {
    reportAuthorizer(doorkeeper, applicant, error);
    throw new HttpError(401, 'Unauthorized');
  }
}

function checkUpgrade(request: IncomingMessage, { uses }: Service): void {
  const path = (request.url ?? '/').split('?')[0];
  if (path !== '/mqtt') throw new HttpError(404, 'the WebSocket is at /mqtt');
  if (!uses.includes('websocket'))
    throw new HttpError(404, 'this endpoint takes HTTPS publish only');
  if (!asksForMqtt(request)) throw new HttpError(400, 'ask for the subprotocol mqtt');
}

function attachWebSocket(doorkeeper: Doorkeeper, stream: Duplex, peerOn: PeerOn): void {
  const { broker } = doorkeeper;
  const first = peerOn(stream);
  const mine = new Set<Peer>([first]);
  const { authenticate: ask } = first;
  const peer: Peer =
    ask === undefined
      ? first
      : {
          ...first,
          authenticate: async (login) => {
            const admitted = await ask(login);
            if (admitted !== undefined) mine.add(admitted);
            return admitted;
          },
        };
  mine.add(peer);
  const cancel = broker.state.timers(WEBSOCKET_MS, () =>
    broker.disconnectWhere((each) => mine.has(each), {
      reason: 'WEBSOCKET_TTL_EXPIRATION',
      code: Reason.administrative,
    }),
  );
  stream.once('close', cancel);
  attach(doorkeeper, stream, peer);
}

function refuseUpgrade(
  { broker }: Doorkeeper,
  request: IncomingMessage,
  socket: Duplex,
  error: unknown,
): void {
  const known = error instanceof HttpError ? error : new HttpError(500, 'Internal Failure');
  const sourceIp = sourceIpOf(tlsOf(request));
  if (known.statusCode === 500) {
    const message = 'a WebSocket could not be opened';
    broker.state.log({ level: 'error', source: 'gateway', message, error });
  } else if (known.statusCode === 400 || known.statusCode === 404) {
    const subject = { protocol: 'wss', principal: '', sourceIp } as const;
    reportBrokerRefusal(broker.state, subject, 'WEBSOCKET', known.message);
  }
  const body = JSON.stringify({ message: known.message, traceId: broker.state.uuid() });
  const head = [
    `HTTP/1.1 ${known.statusCode} ${STATUS_TEXT[known.statusCode] ?? 'Error'}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
};
