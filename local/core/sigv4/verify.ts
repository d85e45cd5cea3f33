import { timingSafeEqual } from 'node:crypto';
import {
  canonicalRequest,
  headerValue,
  type Parameter,
  queryParameters,
  type SignedRequest,
  sha256,
} from './canonical-request.ts';
import { type Claim, isSigned as carriesSignature, readClaim } from './claim.ts';
import { refuse } from './problem.ts';
import { signatureOf } from './signature.ts';

/** The secret half of an access key. */
export interface SecretKey {
  readonly secretAccessKey: string;
  /** Temporary keys are worth nothing without it. */
  readonly sessionToken?: string;
}

export interface VerifyOptions {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly region: string;
  /** Signing names that are good here. */
  readonly services: readonly string[];
  readonly keyOf: (accessKeyId: string) => SecretKey | undefined;
}

/** How far clocks may be apart. */
const SKEW_MS = 5 * 60_000;

/** Presigned URLs of this service carry their session token outside the signature. */
const TOKEN_OUTSIDE = 'iotdevicegateway';

/** Whether a request carries SigV4 at all, well-formed or not. */
export function isSigned(request: SignedRequest): boolean {
  try {
    return carriesSignature(request, queryParameters(request.query));
  } catch {
    return false;
  }
}

/**
 * Checks a SigV4 signature, in the header or in the query (presigned): scope, time, signed headers, session
 * token, payload, signature.
 *
 * @returns the access key id that signed
 * @throws {SignatureError} saying what is wrong and what would be right
 * @see IAM User Guide, "AWS Signature Version 4 for API requests"; IoT Core Developer Guide, "MQTT over the
 *   WebSocket protocol", for the session token that is appended to a presigned URL after signing
 */
export function verifySignature(request: SignedRequest, options: VerifyOptions): string {
  const query = parametersOf(request.query);
  const claim = readClaim(request, query);
  const key = options.keyOf(claim.accessKeyId);
  if (key === undefined) {
    const problem = `is signed by the access key ${claim.accessKeyId}, which is not known here`;
    throw refuse('UNKNOWN_KEY', problem, claim.accessKeyId);
  }
  checkScope(claim, options);
  checkTime(claim, options.nowMs);
  checkHeaders(claim, request);
  checkToken(claim, key);
  checkPayload(claim, request);
  checkSignature(claim, request, query, key);
  return claim.accessKeyId;
}

function parametersOf(query: string): Parameter[] {
  try {
    return queryParameters(query);
  } catch {
    throw refuse('MALFORMED', 'has a query that is not percent-encoded UTF-8');
  }
}

function checkScope({ scope, timestamp, accessKeyId }: Claim, options: VerifyOptions): void {
  const { region, services } = options;
  const wrong = (what: string, is: string, right: string) =>
    refuse('SCOPE', `is signed for the ${what} ${is}; it must be ${right}`, accessKeyId);
  if (scope.region !== region) throw wrong('region', scope.region, region);
  if (!services.includes(scope.service))
    throw wrong('service', scope.service, services.join(' or '));
  const day = timestamp.slice(0, 8);
  if (scope.day !== day) throw wrong('day', scope.day, `${day}, the day of its timestamp`);
}

function checkTime({ signedAtMs, expiresSeconds, accessKeyId }: Claim, nowMs: number): void {
  const at = new Date(signedAtMs).toISOString();
  const now = new Date(nowMs).toISOString();
  if (
    signedAtMs > nowMs + SKEW_MS ||
    (expiresSeconds === undefined && signedAtMs < nowMs - SKEW_MS)
  ) {
    const problem = `was signed at ${at}, and it is ${now} here: clocks may be 5 minutes apart`;
    throw refuse('SKEW', problem, accessKeyId);
  }
  if (expiresSeconds === undefined || nowMs <= signedAtMs + expiresSeconds * 1000) return;
  const problem = `was signed at ${at} for ${expiresSeconds} s, and it is ${now} here: sign it anew`;
  throw refuse('EXPIRED', problem, accessKeyId);
}

/** `host` and every `x-amz-…` header are to be signed, and what is signed is to be there. */
function checkHeaders({ signedHeaders, accessKeyId }: Claim, request: SignedRequest): void {
  const present = new Set(request.headers.map(([name]) => name.toLowerCase()));
  const needed = ['host', ...[...present].filter((name) => name.startsWith('x-amz-'))];
  const unsigned = needed.find((name) => !signedHeaders.includes(name));
  if (unsigned !== undefined) {
    throw refuse('UNSIGNED_HEADER', `does not sign its header ${unsigned}`, accessKeyId);
  }
  const absent = signedHeaders.find((name) => !present.has(name));
  if (absent === undefined) return;
  throw refuse(
    'UNSIGNED_HEADER',
    `signs the header ${absent}, which it does not have`,
    accessKeyId,
  );
}

function checkToken({ sessionToken, accessKeyId }: Claim, key: SecretKey): void {
  if (sessionToken === undefined && key.sessionToken === undefined) return;
  const wrong = (problem: string) => refuse('SESSION_TOKEN', problem, accessKeyId);
  if (sessionToken === undefined) {
    throw wrong('lacks the session token that belongs to its temporary access key');
  }
  if (key.sessionToken === undefined) {
    throw wrong('has a session token, and its access key is a lasting one that has none');
  }
  if (!isSame(Buffer.from(sessionToken), Buffer.from(key.sessionToken))) {
    throw wrong('has a session token that is not the one of its access key');
  }
}

function checkPayload({ accessKeyId }: Claim, request: SignedRequest): void {
  const announced = headerValue(request, 'x-amz-content-sha256');
  if (announced === undefined || announced === sha256(request.body)) return;
  const problem = 'has an x-amz-content-sha256 that is not the SHA-256 of its body';
  throw refuse('PAYLOAD', problem, accessKeyId);
}

function checkSignature(
  claim: Claim,
  request: SignedRequest,
  query: readonly Parameter[],
  { secretAccessKey }: SecretKey,
): void {
  const fits = (parameters: readonly Parameter[]): boolean => {
    const canonical = canonicalRequest(request, parameters, claim.signedHeaders);
    const right = signatureOf(canonical, claim.timestamp, claim.scope, secretAccessKey);
    return isSame(Buffer.from(claim.signature, 'hex'), right);
  };
  const signable = query.filter(([name]) => name !== 'X-Amz-Signature');
  const withoutToken = signable.filter(([name]) => name !== 'X-Amz-Security-Token');
  const outside = claim.place === 'query' && claim.scope.service === TOKEN_OUTSIDE;
  if (fits(outside ? withoutToken : signable)) return;
  throw refuse('SIGNATURE', mismatch(outside && fits(signable)), claim.accessKeyId);
}

const mismatch = (tokenInside: boolean): string =>
  tokenInside
    ? 'signs its session token; AWS IoT wants X-Amz-Security-Token appended after signing'
    : 'has a signature that does not fit: another secret key, or something was changed after signing';

/** In a time that does not tell where they differ. */
const isSame = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);
