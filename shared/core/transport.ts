import type { Envelope } from './envelope.ts';
import type { Reading } from './reading.ts';

/** `<role id>:<session>`: credentials of a role. An authorizer cannot answer it, its principals hold no colon. */
const ROLE_SESSION = /^AROA[A-Z0-9]{12,}:.+$/;
/** `<region>:<uuid>`: an identity of an Amazon Cognito pool. */
const COGNITO = /^[a-z]{2}(?:-[a-z]+)+-\d:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The transport as far as a rule can know it. MQTT with SigV4 exists over WebSocket only, so such a principal proves
 * `wss`; an X.509 certificate or a custom authorizer does not, and the answer is `mqtt`.
 *
 * @see AWS IoT Core Developer Guide, SQL functions `clientid()` and `principal()`
 */
export function transportOf({
  clientId,
  principal,
}: Pick<Envelope, 'clientId' | 'principal'>): Reading['transport'] {
  if (clientId.toLowerCase() === 'n/a') return 'https';
  const isSigV4 = ROLE_SESSION.test(principal) || COGNITO.test(principal);
  return isSigV4 ? 'wss' : 'mqtt';
}
