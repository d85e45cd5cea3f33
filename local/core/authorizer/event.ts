import type { Presented } from './presented.ts';

export interface Checked {
  readonly token: string | undefined;
  /** False where signing is disabled. */
  readonly signatureVerified: boolean;
  readonly connectionId: string;
}

const PROTOCOLS = {
  mqtt: ['tls', 'mqtt'],
  wss: ['tls', 'http', 'mqtt'],
  https: ['tls', 'http'],
} as const;

/**
 * What the authorizer's function is given; fields that a protocol does not have are left out.
 * @see IoT Core Developer Guide, "Creating and managing custom authorizers": defining your Lambda function
 */
export function authorizerEvent(
  { transport, serverName, x509, http, mqtt }: Presented,
  { token, signatureVerified, connectionId }: Checked,
) {
  return {
    ...(token !== undefined && { token }),
    signatureVerified,
    protocols: PROTOCOLS[transport],
    protocolData: {
      tls: {
        ...(serverName !== undefined && { serverName }),
        ...(x509 !== undefined && {
          x509CertificatePem: x509.certificatePem,
          principalId: x509.certificateId,
        }),
      },
      ...(http !== undefined && { http }),
      ...(mqtt !== undefined && { mqtt: mqttPart(mqtt) }),
    },
    connectionMetadata: { id: connectionId },
  };
}

const mqttPart = ({ username, password, clientId }: NonNullable<Presented['mqtt']>) => ({
  ...(username !== undefined && { username }),
  ...(password !== undefined && { password: Buffer.from(password).toString('base64') }),
  ...(clientId !== undefined && clientId !== '' && { clientId }),
});
