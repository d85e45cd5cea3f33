import * as z from 'zod';
import { CertificateId } from './authorities.ts';
import { refuse } from './refused.ts';

const Event = z.object({
  token: z.string().optional(),
  signatureVerified: z.boolean().optional(),
  protocolData: z
    .object({
      tls: z
        .object({
          serverName: z.string().optional(),
          x509CertificatePem: z.string().max(65_536).optional(),
          principalId: CertificateId.optional(),
        })
        .optional(),
      http: z
        .object({
          headers: z.record(z.string(), z.string()).optional(),
          queryString: z.string().optional(),
        })
        .optional(),
      mqtt: z
        .object({
          username: z.string().optional(),
          password: z.string().optional(),
          clientId: z.string().optional(),
        })
        .optional(),
    })
    .default({}),
  connectionMetadata: z.object({ id: z.string() }).optional(),
});

/** What AWS IoT asks an authorizer, of which each protocol fills other fields. */
export type AccessRequest = z.infer<typeof Event>;

/** A token or a secret, and what carried it. */
export interface Credential {
  readonly text: string;
  readonly carrier: 'token' | 'header' | 'query' | 'username' | 'password';
}

/** Name of the header or parameter that holds it: `TokenKeyName` of each authorizer in the template. */
const KEY = 'token';

/** AWS allows 65,535 characters of base64; a token of 8,192 takes 10,924. */
const PASSWORD_LIMIT_CHARS = 16_384;

/**
 * @throws {RefusedError} `MALFORMED_EVENT`
 * @see AWS IoT Core Developer Guide, "Defining your Lambda function"
 */
export function readRequest(event: unknown): AccessRequest {
  const result = Event.safeParse(event);
  if (result.success) return result.data;
  const path = result.error.issues[0]?.path.map(String).join('.') ?? '';
  return refuse('MALFORMED_EVENT', path || '(root)', 'is not as AWS IoT sends it');
}

/** A client certificate that AWS IoT has accepted before it asked. */
export interface ShownCertificate {
  readonly id: string;
  readonly pem: string;
}

/**
 * The certificate of a request, where its domain wants one beside the credential.
 *
 * @throws {RefusedError} `MALFORMED_EVENT` when there is half of one
 * @see AWS IoT Core Developer Guide, "Custom authentication with X.509 client certificates"
 */
export function certificateOf({
  protocolData: { tls },
}: AccessRequest): ShownCertificate | undefined {
  const { x509CertificatePem: pem, principalId: id } = tls ?? {};
  if (pem === undefined && id === undefined) return undefined;
  if (pem !== undefined && id !== undefined) return { id, pem };
  return refuse('MALFORMED_EVENT', 'protocolData.tls', 'wants certificate and principal together');
}

/**
 * The credential that a request carries. The token that AWS IoT itself took out comes first, as that is the one whose
 * signature it checked; then header, query string, query of the MQTT user name, MQTT password.
 *
 * @throws {RefusedError} `NO_CREDENTIAL`, or `AMBIGUOUS_CREDENTIAL` when one carrier holds two that differ
 */
export function credentialOf({ token, protocolData }: AccessRequest): Credential {
  const { http, mqtt } = protocolData;
  const found =
    carried('token', token) ??
    carried('header', headerOf(http?.headers ?? {})) ??
    carried('query', parameterOf(http?.queryString, 'http.queryString')) ??
    carried('username', parameterOf(queryOf(mqtt?.username), 'mqtt.username')) ??
    carried('password', passwordOf(mqtt?.password));
  return found ?? refuse('NO_CREDENTIAL', KEY, 'is in no header, query, user name or password');
}

const carried = (
  carrier: Credential['carrier'],
  text: string | undefined,
): Credential | undefined => (text === undefined || text === '' ? undefined : { carrier, text });

/** Whether names of headers arrive as they were sent is not documented, so their case is not looked at. */
function headerOf(headers: Readonly<Record<string, string>>): string | undefined {
  const values = Object.keys(headers).flatMap((name) => {
    const value = headers[name] ?? '';
    if (name.toLowerCase() === KEY) return [value];
    const [, bearer] = /^Bearer +(\S+)$/i.exec(value) ?? [];
    return name.toLowerCase() === 'authorization' && bearer !== undefined ? [bearer] : [];
  });
  return single(values, 'http.headers');
}

const parameterOf = (query: string | undefined, path: string): string | undefined =>
  query === undefined ? undefined : single(new URLSearchParams(query).getAll(KEY), path);

/** `name?x-amz-customauthorizer-name=…&token=…`; device SDKs put parameters of their own there as well. */
const queryOf = (username: string | undefined): string | undefined => {
  const at = username?.indexOf('?') ?? -1;
  return at < 0 ? undefined : username?.slice(at);
};

function single(values: readonly string[], path: string): string | undefined {
  const [first, ...others] = values;
  if (others.every((other) => other === first)) return first;
  return refuse('AMBIGUOUS_CREDENTIAL', path, `holds ${KEY} twice, and not the same`);
}

/** MQTT passwords arrive in base64, whatever they are. */
function passwordOf(password: string | undefined): string | undefined {
  if (password === undefined) return undefined;
  if (password.length > PASSWORD_LIMIT_CHARS) {
    refuse('TOKEN_TOO_LARGE', 'mqtt.password', `is longer than ${PASSWORD_LIMIT_CHARS} characters`);
  }
  return Buffer.from(password, 'base64').toString();
}
