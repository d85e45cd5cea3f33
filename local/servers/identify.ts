import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import {
  type AuthorizerChoice,
  AuthorizerRefusal,
  namedAuthorizer,
  type Presented,
  presentedSignature,
  presentedToken,
} from '../core/authorizer/index.ts';
import type { Endpoint } from '../core/endpoint/index.ts';
import type { Broker } from '../core/mqtt/broker.ts';
import type { Transports } from '../core/mqtt/broker-state.ts';
import type { Peer } from '../core/mqtt/connection.ts';
import { Reason } from '../core/mqtt/reason.ts';
import { reportCredentialRefusal } from '../core/mqtt/refusal.ts';
import { SignatureError, type SignedRequest, verifySignature } from '../core/sigv4/index.ts';
import type { AccessKeys, Signer } from '../runtime/access-keys.ts';
import type { Authorization, Authorizers } from '../runtime/authorizer/authorizers.ts';
import { openLease } from '../runtime/authorizer/lease.ts';
import type { AuthenticatedPeer, Authority, Origin } from '../runtime/broker/authority.ts';
import type { RegistryView } from '../runtime/broker/registry-view.ts';
import { HttpError } from './https-request.ts';
import { serverNameOf, sourceIpOf } from './tls.ts';

/** What it takes to say who a client is, whatever it shows. */
export interface Doorkeeper {
  readonly broker: Broker;
  readonly authority: Authority;
  readonly registry: RegistryView;
  readonly authorizers: Authorizers;
  readonly keys: AccessKeys;
  readonly region: string;
}

/** Signing names of the device gateway's data plane. */
const SERVICES = ['iotdevicegateway', 'iotdata'];

export const originOf = (socket: TLSSocket, endpoint: Endpoint): Origin => {
  const domainName = endpoint.domainName ?? serverNameOf(socket);
  return { sourceIp: sourceIpOf(socket), ...(domainName !== undefined && { domainName }) };
};

/** The TLS connection under a request; requests of these servers have no other. */
export function tlsOf({ socket }: IncomingMessage): TLSSocket {
  if (socket instanceof TLSSocket) return socket;
  throw new Error('a request came without TLS');
}

export function signedRequestOf(
  { method = 'GET', url = '/', rawHeaders }: IncomingMessage,
  body: Uint8Array,
): SignedRequest {
  const at = url.indexOf('?');
  return {
    method,
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? '' : url.slice(at + 1),
    headers: headerPairs(rawHeaders),
    body,
  };
}

const headerPairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []));

/**
 * Who signed a request by SigV4.
 * @throws {HttpError} 403, after the operator has been told why
 */
export function identifySigner(
  { broker, keys, region }: Doorkeeper,
  request: IncomingMessage,
  body: Uint8Array,
  protocol: Transports,
): Signer {
  const sourceIp = sourceIpOf(tlsOf(request));
  const refuse = (
    reason: string,
    explanation: string,
    principal: string | undefined,
  ): HttpError => {
    const about = { protocol, sourceIp, reason: `SIGV4_${reason}`, explanation };
    reportCredentialRefusal(broker.state, {
      ...about,
      ...(principal !== undefined && { principal }),
    });
    return new HttpError(403, 'Forbidden');
  };
  try {
    const accessKeyId = verifySignature(signedRequestOf(request, body), {
      nowMs: broker.state.now(),
      region,
      services: SERVICES,
      keyOf: keys,
    });
    const signer = keys(accessKeyId)?.signer;
    if (signer === undefined) throw new Error(`${accessKeyId} belongs to nobody`);
    if (!signer.isOperator || request.headers.origin === undefined) return signer;
    throw refuse('WEB_PAGE', 'a web page signs with the keys of the operator', accessKeyId);
  } catch (error) {
    if (error instanceof SignatureError)
      throw refuse(error.reason, error.message, error.accessKeyId);
    throw error;
  }
}

/** What a request shows to an authorizer. */
export function presentedBy(
  request: IncomingMessage,
  transport: 'wss' | 'https',
  certificate?: AuthenticatedPeer,
): Presented {
  const { url = '/', rawHeaders } = request;
  const at = url.indexOf('?');
  const headers: Record<string, string> = {};
  for (const [name, value] of headerPairs(rawHeaders)) {
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return {
    transport,
    ...commonPart(tlsOf(request), certificate),
    http: { headers, queryString: at < 0 ? '' : url.slice(at) },
  };
}

export function commonPart(socket: TLSSocket, peer?: AuthenticatedPeer) {
  const serverName = serverNameOf(socket);
  return {
    ...(serverName !== undefined && { serverName }),
    ...(peer !== undefined && {
      x509: {
        certificatePem: peer.certificate.toString(),
        certificateId: peer.certificateId,
      },
    }),
  };
}

/** Whether a request shows what an authorizer decides by, or leaves that to the CONNECT that follows. */
export function showsCredentials(
  { authorizers }: Doorkeeper,
  presented: Presented,
  choice: AuthorizerChoice,
): boolean {
  if (namedAuthorizer(presented) !== undefined) return true;
  if (presentedSignature(presented) !== undefined) return true;
  try {
    const { tokenKeyName } = authorizers.choose(presented, choice);
    return presentedToken(presented, tokenKeyName) !== undefined;
  } catch {
    return false;
  }
}

/** A client that an authorizer is asked about. */
export interface Applicant {
  readonly presented: Presented;
  readonly choice: AuthorizerChoice;
  readonly origin: Origin;
  readonly certificateId?: string;
}

/** @throws {AuthorizerRefusal} */
export async function askAuthorizer(
  { authorizers, broker }: Doorkeeper,
  { presented, choice }: Applicant,
): Promise<Authorization> {
  const authorizer = authorizers.choose(presented, choice);
  return authorizers.ask(authorizer, presented, broker.state.uuid());
}

/** Tells the operator of a refusal. @throws whatever is none */
export function reportAuthorizer(
  { broker }: Doorkeeper,
  { presented, origin }: Applicant,
  error: unknown,
): void {
  if (!(error instanceof AuthorizerRefusal)) throw error;
  const { transport, mqtt } = presented;
  const clientId = mqtt?.clientId;
  const named = safely(() => namedAuthorizer(presented));
  reportCredentialRefusal(broker.state, {
    protocol: transport,
    sourceIp: origin.sourceIp,
    reason: `AUTHORIZER_${error.reason}`,
    explanation: error.message,
    ...(named !== undefined && { principal: named }),
    ...(clientId !== undefined && { clientId }),
  });
}

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A peer under a grant, which is refreshed and ends with the connection that `stream` carries. */
export function granted(
  doorkeeper: Doorkeeper,
  applicant: Applicant,
  first: Authorization,
  stream: Duplex,
): Peer {
  const { broker, authority } = doorkeeper;
  const { origin, certificateId, presented } = applicant;
  const lease = openLease({
    first,
    again: () => askAuthorizer(doorkeeper, applicant),
    timers: broker.state.timers,
    onExpired: () =>
      broker.disconnectWhere((each) => each === peer, {
        reason: 'CUSTOMAUTH_TTL_EXPIRATION',
        code: Reason.administrative,
      }),
    onRefused: (error) => {
      broker.disconnectWhere((each) => each === peer, {
        reason: 'AUTH_ERROR',
        code: Reason.notAuthorized,
      });
      reportAuthorizer(doorkeeper, applicant, error);
    },
  });
  const peer: Peer = {
    protocol: presented.transport === 'wss' ? 'wss' : 'mqtt',
    principal: first.principalId,
    sourceIp: origin.sourceIp,
    accessFor: (clientId) => authority.accessForGrant(lease, origin, clientId, certificateId),
  };
  if (stream.destroyed) lease.release();
  else stream.once('close', () => lease.release());
  return peer;
}

/** A peer whose CONNECT carries what an authorizer decides by. */
export function undecided(doorkeeper: Doorkeeper, applicant: Applicant, stream: Duplex): Peer {
  const { presented, origin } = applicant;
  return {
    protocol: presented.transport === 'wss' ? 'wss' : 'mqtt',
    principal: '',
    sourceIp: origin.sourceIp,
    accessFor: () => {
      throw new Error('nobody is authenticated yet');
    },
    authenticate: async (login) => {
      const whole = { ...applicant, presented: { ...presented, mqtt: login } };
      try {
        const first = await askAuthorizer(doorkeeper, whole);
        return granted(doorkeeper, whole, first, stream);
      } catch (error) {
        reportAuthorizer(doorkeeper, whole, error);
        return undefined;
      }
    },
  };
}
