import { constants } from 'node:crypto';
import type { SecureVersion, TLSSocket, TlsOptions } from 'node:tls';
import type { BrokerState, Transports } from '../core/mqtt/broker-state.ts';
import { countRefusal, type GatewayEvent } from '../core/mqtt/refusal.ts';
import type { AuthenticatedPeer } from '../runtime/broker/authority.ts';
import {
  type CertificateProblem,
  type CertificateVerdict,
  checkCertificate,
} from '../runtime/broker/certificate.ts';
import type { RegistryView } from '../runtime/broker/registry-view.ts';

/** The server's own certificate chain and key, PEM. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** `TLSv1.2` stands for IoTSecurityPolicy_TLS13_1_2_2022_10, `TLSv1.3` for …TLS13_1_3_2022_10. */
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

const HANDSHAKE_MS = 10_000;

/**
 * TLS as AWS IoT's listeners have it: 1.2 and 1.3, a client certificate asked for, no session tickets.
 * OpenSSL verifies that the client holds its key; whether the certificate is welcome is decided after the
 * handshake, so that the reason can be told to the operator.
 */
export const tlsOptions = ({
  cert,
  key,
  minVersion = 'TLSv1.2',
  maxVersion = 'TLSv1.3',
}: ServerTls): TlsOptions => ({
  cert,
  key,
  minVersion,
  maxVersion,
  requestCert: true,
  rejectUnauthorized: false,
  secureOptions: constants.SSL_OP_NO_TICKET,
  handshakeTimeout: HANDSHAKE_MS,
});

/** IPv4 addresses as AWS shows them, also where the socket listens on IPv6. */
export const sourceIpOf = ({ remoteAddress }: { remoteAddress?: string | undefined }): string =>
  (remoteAddress ?? '').replace(/^::ffff:/, '');

type Witness = Pick<BrokerState, 'counters' | 'log' | 'onEvent' | 'now'>;

/** Checks the certificate a TLS peer has shown; a refusal is told to the operator. */
export function authenticate(
  socket: TLSSocket,
  registry: RegistryView,
  witness: Witness,
  protocol: Transports,
): AuthenticatedPeer | undefined {
  const verdict = judge(socket, registry, witness);
  const sourceIp = sourceIpOf(socket);
  if (!verdict.ok) {
    report(witness, verdict, protocol, sourceIp);
    return undefined;
  }
  const { certificate, certificateId } = verdict;
  const domainName = serverNameOf(socket);
  return { certificate, certificateId, sourceIp, ...(domainName !== undefined && { domainName }) };
}

/** Just-in-time registration wants a server name, as it is that of an account's own endpoint. */
function judge(socket: TLSSocket, registry: RegistryView, witness: Witness): CertificateVerdict {
  const certificate = socket.getPeerX509Certificate();
  const check = () => checkCertificate(certificate, registry, witness.now());
  const verdict = check();
  if (verdict.ok || certificate === undefined || !NEWCOMERS.has(verdict.reason)) return verdict;
  if (serverNameOf(socket) === undefined) return verdict;
  return registry.meet?.(certificate) === true ? check() : verdict;
}

const NEWCOMERS: ReadonlySet<CertificateProblem> = new Set([
  'NOT_REGISTERED',
  'PENDING_ACTIVATION',
]);

/** The name by SNI, if the client sent one. */
export function serverNameOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as { servername?: string | false | null };
  return typeof servername === 'string' && servername !== '' ? servername : undefined;
}

function report(
  witness: Witness,
  refused: Extract<CertificateVerdict, { ok: false }>,
  protocol: Transports,
  sourceIp: string,
): void {
  const { ok: _, ...about } = refused;
  countRefusal(witness, refused.reason);
  const entry = { ...about, protocol, sourceIp };
  witness.log({ level: 'warn', source: 'gateway', message: about.explanation, ...entry });
  witness.onEvent({ type: 'certificate-refusal', ...entry } satisfies GatewayEvent);
}

const HANDSHAKE_FAULTS: Readonly<Record<string, readonly [reason: string, explanation: string]>> = {
  ERR_SSL_UNSUPPORTED_PROTOCOL: ['TLS_VERSION', 'offers neither TLS 1.2 nor 1.3'],
  ERR_SSL_VERSION_TOO_LOW: ['TLS_VERSION', 'offers neither TLS 1.2 nor 1.3'],
  ERR_SSL_NO_APPLICATION_PROTOCOL: [
    'ALPN',
    'offers no application protocol (ALPN) that is spoken here',
  ],
  ERR_SSL_NO_SHARED_CIPHER: ['TLS_CIPHER', 'offers no cipher suite that is spoken here'],
  ERR_SSL_HTTP_REQUEST: ['NOT_TLS', 'speaks plain HTTP; this port is TLS'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['NOT_TLS', 'does not speak TLS; this port takes nothing else'],
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: ['SERVER_NOT_TRUSTED', "does not trust the laptop's CA"],
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: ['SERVER_NOT_TRUSTED', "refused the laptop's certificate"],
  ERR_TLS_HANDSHAKE_TIMEOUT: ['TLS_TIMEOUT', `did not finish the handshake in ${HANDSHAKE_MS} ms`],
};

/** Tells the operator of a handshake that failed; one that the peer just dropped is no news. */
export function reportHandshake(
  { counters, log, onEvent }: Witness,
  error: Error & { code?: string },
  socket: TLSSocket,
  protocol: Transports,
): void {
  if (error.code === 'ECONNRESET') return;
  const known = HANDSHAKE_FAULTS[error.code ?? ''];
  const [reason, explanation] = known ?? ['TLS', error.message];
  countRefusal({ counters, log, onEvent }, reason);
  const about = { reason, explanation, protocol, sourceIp: sourceIpOf(socket) };
  log({ level: 'warn', source: 'gateway', message: `TLS handshake: ${explanation}`, ...about });
  onEvent({ type: 'certificate-refusal', ...about });
}
