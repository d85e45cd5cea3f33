import { createHmac } from 'node:crypto';
import { sha256 } from './canonical-request.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** What a signature is good for: `<day>/<region>/<service>/aws4_request`. */
export interface Scope {
  /** `YYYYMMDD`, UTC. */
  readonly day: string;
  readonly region: string;
  /** Signing name, as `iotdevicegateway`. */
  readonly service: string;
}

const hmac = (key: string | Uint8Array, data: string): Buffer =>
  createHmac('sha256', key).update(data).digest();

/** @see AWS Signature Version 4, "Derive a signing key" */
function signingKey(secretAccessKey: string, { day, region, service }: Scope): Buffer {
  const ofDay = hmac(`AWS4${secretAccessKey}`, day);
  return hmac(hmac(hmac(ofDay, region), service), 'aws4_request');
}

/** @param timestamp  `YYYYMMDDTHHMMSSZ` */
export function signatureOf(
  canonical: string,
  timestamp: string,
  scope: Scope,
  secretAccessKey: string,
): Buffer {
  const scopeText = `${scope.day}/${scope.region}/${scope.service}/aws4_request`;
  const text = [ALGORITHM, timestamp, scopeText, sha256(canonical)].join('\n');
  return hmac(signingKey(secretAccessKey, scope), text);
}
