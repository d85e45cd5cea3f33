import { createHash, createHmac } from 'node:crypto';

/** Temporary keys, as Cognito or STS hands them out. Holds a secret: never log one. */
export interface TemporaryKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 'iotdevicegateway';
const EXPIRES_SECONDS = 300;

const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The address by which a browser opens MQTT over WebSocket. The session token is added after signing, as AWS IoT wants.
 *
 * @param host  with its port, as it stands in the request's Host header
 * @see AWS IoT Core developer guide, "Device communication protocols", MQTT over WebSocket; AWS Signature Version 4
 */
export function presignedUrl(
  host: string,
  region: string,
  { accessKeyId, secretAccessKey, sessionToken }: TemporaryKeys,
  nowMs: number,
): string {
  const timestamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = timestamp.slice(0, 8);
  const scope = `${day}/${region}/${SERVICE}/aws4_request`;
  // in the order of their names, as they are signed
  const query = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${accessKeyId}/${scope}`],
    ['X-Amz-Date', timestamp],
    ['X-Amz-Expires', String(EXPIRES_SECONDS)],
    ['X-Amz-SignedHeaders', 'host'],
  ]
    .map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`)
    .join('&');
  const request = ['GET', '/mqtt', query, `host:${host}\n`, 'host', sha256('')].join('\n');
  const text = [ALGORITHM, timestamp, scope, sha256(request)].join('\n');
  const key = [region, SERVICE, 'aws4_request'].reduce(hmac, hmac(`AWS4${secretAccessKey}`, day));
  const signature = hmac(key, text).toString('hex');
  const token = `X-Amz-Security-Token=${encodeURIComponent(sessionToken)}`;
  return `wss://${host}/mqtt?${query}&X-Amz-Signature=${signature}&${token}`;
}
