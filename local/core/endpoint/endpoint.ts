import type { AuthorizerChoice } from '../authorizer/index.ts';

export const AUTHENTICATION_TYPES = [
  'DEFAULT',
  'AWS_X509',
  'CUSTOM_AUTH_X509',
  'CUSTOM_AUTH',
  'AWS_SIGV4',
] as const;
export type AuthenticationType = (typeof AUTHENTICATION_TYPES)[number];

export const APPLICATION_PROTOCOLS = ['DEFAULT', 'SECURE_MQTT', 'MQTT_WSS', 'HTTPS'] as const;
export type ApplicationProtocol = (typeof APPLICATION_PROTOCOLS)[number];

/**
 * Which application protocols go with an authentication type.
 * @see IoT Core Developer Guide, "Device communication protocols": configurable authentication
 */
export const PAIRS: Readonly<Record<AuthenticationType, readonly ApplicationProtocol[]>> = {
  DEFAULT: ['DEFAULT'],
  AWS_X509: ['SECURE_MQTT', 'HTTPS'],
  CUSTOM_AUTH_X509: ['SECURE_MQTT', 'HTTPS'],
  CUSTOM_AUTH: ['SECURE_MQTT', 'MQTT_WSS', 'HTTPS'],
  AWS_SIGV4: ['MQTT_WSS', 'HTTPS'],
};

/** TLS versions by security policy. */
export const SECURITY_POLICIES: Readonly<
  Record<
    string,
    { readonly minVersion: 'TLSv1.2' | 'TLSv1.3'; readonly maxVersion: 'TLSv1.2' | 'TLSv1.3' }
  >
> = {
  IoTSecurityPolicy_TLS13_1_3_2022_10: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' },
  IoTSecurityPolicy_TLS13_1_2_2022_10: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
  IoTSecurityPolicy_TLS12_1_2_2022_10: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
};
export const DEFAULT_SECURITY_POLICY = 'IoTSecurityPolicy_TLS13_1_2_2022_10';

/** A data endpoint: the account's own, or one of a domain configuration. */
export interface Endpoint {
  /** Name of the domain configuration; `default` for the account's own endpoint. */
  readonly name: string;
  /** What its certificate says and `iot:DomainName` is; undefined for the account's own endpoint. */
  readonly domainName?: string;
  readonly authentication: AuthenticationType;
  readonly application: ApplicationProtocol;
  readonly authorizers: AuthorizerChoice;
  readonly securityPolicy: string;
  readonly enabled: boolean;
}

/** The account's own endpoint: ALPN tells what a client speaks, and a client may name any authorizer. */
export const defaultEndpoint = (defaultAuthorizer: string | undefined): Endpoint => ({
  name: 'default',
  authentication: 'DEFAULT',
  application: 'DEFAULT',
  authorizers: {
    allowOverride: true,
    ...(defaultAuthorizer !== undefined && { defaultName: defaultAuthorizer }),
  },
  securityPolicy: DEFAULT_SECURITY_POLICY,
  enabled: true,
});

export type Credentials = 'x509' | 'custom' | 'custom-x509' | 'sigv4';

/** What is spoken on one TLS connection. */
export interface Service {
  readonly protocol: 'mqtt' | 'http';
  /** Which of HTTP's two uses; both where the endpoint does not pin one. */
  readonly uses: readonly ('publish' | 'websocket')[];
  /** What counts as credentials. */
  readonly credentials: readonly Credentials[];
}

const wantsCertificate = ({ credentials }: Service): boolean =>
  credentials.some((each) => each === 'x509' || each === 'custom-x509');

/** Services of the account's own port 443 by ALPN; `http/1.1` stands for none. */
const BY_ALPN: Readonly<Record<string, Service>> = {
  'x-amzn-mqtt-ca': { protocol: 'mqtt', uses: [], credentials: ['x509'] },
  mqtt: { protocol: 'mqtt', uses: [], credentials: ['custom'] },
  'x-amzn-http-ca': { protocol: 'http', uses: ['publish'], credentials: ['x509'] },
  'http/1.1': {
    protocol: 'http',
    uses: ['publish', 'websocket'],
    credentials: ['sigv4', 'custom'],
  },
};

const CREDENTIALS: Readonly<Record<Exclude<AuthenticationType, 'DEFAULT'>, Credentials>> = {
  AWS_X509: 'x509',
  CUSTOM_AUTH_X509: 'custom-x509',
  CUSTOM_AUTH: 'custom',
  AWS_SIGV4: 'sigv4',
};

export interface Agreed {
  readonly service: Service;
  /** The protocol to choose of those offered; undefined where the client offered none. */
  readonly alpn: string | undefined;
  /** Whether the handshake is to ask for a client certificate. */
  readonly wantsCertificate: boolean;
}

/**
 * What is spoken with a client that offers these protocols (ALPN, in its order of preference).
 *
 * @returns undefined where it offers some and none of them is spoken here
 * @see IoT Core Developer Guide, "Protocols, port mappings, and authentication"
 */
export function agreeOn(endpoint: Endpoint, offered: readonly string[]): Agreed | undefined {
  const services = servicesOf(endpoint);
  const alpn = offered.find((each) => services[each] !== undefined);
  const service = alpn === undefined ? services[''] : services[alpn];
  if (service === undefined || (alpn === undefined && offered.length > 0)) return undefined;
  return { service, alpn, wantsCertificate: wantsCertificate(service) };
}

/** By ALPN; the empty name is that of clients which offer none. A pinned pair needs no ALPN and minds none. */
function servicesOf({ authentication, application }: Endpoint): Readonly<Record<string, Service>> {
  const http = BY_ALPN['http/1.1'];
  if (authentication === 'DEFAULT') return http === undefined ? BY_ALPN : { ...BY_ALPN, '': http };
  const credentials = [CREDENTIALS[authentication]];
  if (application === 'SECURE_MQTT') {
    const service: Service = { protocol: 'mqtt', uses: [], credentials };
    return { '': service, mqtt: service, 'x-amzn-mqtt-ca': service };
  }
  const uses = application === 'MQTT_WSS' ? (['websocket'] as const) : (['publish'] as const);
  const service: Service = { protocol: 'http', uses, credentials };
  return { '': service, 'http/1.1': service, 'x-amzn-http-ca': service };
}
