import { createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import {
  agreeOn,
  type ClientHello,
  type Endpoint,
  readClientHello,
  SECURITY_POLICIES,
  type Service,
} from '../core/endpoint/index.ts';
import type { BrokerState } from '../core/mqtt/broker-state.ts';
import { reportHandshake, type ServerTls, tlsOptions } from './tls.ts';

export interface TlsPortOptions {
  /** The endpoint that a client asks for by its server name (SNI), or the port's own. */
  readonly endpointOf: (serverName: string | undefined) => Endpoint;
  readonly certificateOf: (endpoint: Endpoint) => Pick<ServerTls, 'cert' | 'key'>;
  /** Takes over once the handshake is done. */
  readonly serve: (socket: TLSSocket, endpoint: Endpoint, service: Service) => void;
  readonly witness: Pick<BrokerState, 'counters' | 'log' | 'onEvent' | 'now'>;
}

const FIRST_BYTES_MS = 10_000;

/**
 * A port that stands for AWS's 443: server name and ALPN of the ClientHello say what is spoken, by which certificate,
 * with which versions of TLS and whether a client certificate is asked for, before the handshake begins.
 */
export function createTlsPort(options: TlsPortOptions): Server {
  const handshakes = new Map<string, TlsServer>();

  const handshakeFor = (endpoint: Endpoint, wantsCertificate: boolean): TlsServer => {
    const key = `${JSON.stringify(endpoint)} ${wantsCertificate}`;
    const known = handshakes.get(key);
    if (known !== undefined) return known;
    const made = createHandshake(options, endpoint, wantsCertificate);
    handshakes.set(key, made);
    return made;
  };

  return createServer({ noDelay: true }, (socket) => {
    peek(socket, (hello) => {
      const endpoint = options.endpointOf(hello.serverName);
      const agreed = agreeOn(endpoint, hello.alpn);
      handshakeFor(endpoint, agreed?.wantsCertificate ?? false).emit('connection', socket);
    });
  });
}

function createHandshake(
  { certificateOf, serve, witness }: TlsPortOptions,
  endpoint: Endpoint,
  wantsCertificate: boolean,
): TlsServer {
  const server = createTlsServer({
    ...tlsOptions({ ...certificateOf(endpoint), ...SECURITY_POLICIES[endpoint.securityPolicy] }),
    requestCert: wantsCertificate,
    ALPNCallback: ({ protocols }) => agreeOn(endpoint, protocols)?.alpn,
  });
  server.on('secureConnection', (socket) => {
    const offered = typeof socket.alpnProtocol === 'string' ? [socket.alpnProtocol] : [];
    const agreed = agreeOn(endpoint, offered);
    if (agreed === undefined || !endpoint.enabled) socket.destroy();
    else serve(socket, endpoint, agreed.service);
  });
  server.on('tlsClientError', (error, socket) => {
    reportHandshake(witness, error, socket, wantsCertificate ? 'mqtt' : 'https');
  });
  return server;
}

/** Reads as far as the ClientHello goes and puts it back; what is none is left to the handshake to refuse. */
function peek(socket: Socket, decide: (hello: ClientHello) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const hangUp = (): void => {
    socket.destroy();
  };
  const look = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const reading = readClientHello(seen);
    if (reading.state === 'incomplete') return;
    socket.off('readable', look).off('error', hangUp).off('timeout', hangUp).setTimeout(0);
    socket.unshift(seen);
    decide(reading.state === 'read' ? reading.hello : { alpn: [] });
  };
  socket.on('readable', look).on('error', hangUp).on('timeout', hangUp).setTimeout(FIRST_BYTES_MS);
}
