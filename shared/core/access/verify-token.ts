import { type CryptoKey, errors, jwtVerify } from 'jose';
import { NAME } from '../names.ts';
import { type Identity, principalOf } from './identity.ts';
import type { Algorithm, Issuer } from './issuer.ts';
import { refuse } from './refused.ts';
import type { Token } from './token.ts';

/** What clocks may differ by, for the beginning of a token; its end is its end. */
const SKEW_SECONDS = 5;
/** The year 9999. */
const LATEST_SECONDS = 253_402_300_799;

/**
 * The issuer that a token says it is from, if it is one of the stage's; the token chooses among what is configured.
 *
 * @throws {RefusedError} `UNKNOWN_ISSUER` or `FORBIDDEN_ALGORITHM`
 */
export function issuerOf(
  { claims, algorithm }: Token,
  issuers: readonly Issuer[],
): { readonly issuer: Issuer; readonly algorithm: Algorithm } {
  const issuer = issuers.find((one) => one.issuer === claims['iss']);
  if (issuer === undefined) return refuse('UNKNOWN_ISSUER', 'claims.iss', 'is not trusted here');
  const fixed = issuer.algorithms.find((one) => one === algorithm);
  if (fixed !== undefined) return { issuer, algorithm: fixed };
  return refuse('FORBIDDEN_ALGORITHM', 'header.alg', `wants ${issuer.algorithms.join(' or ')}`);
}

/**
 * Verifies the signature and every claim that is relied on. `jose` does the cryptography and what RFC 7519 asks for;
 * what it leaves open is closed behind it: `exp` and `iat` must be there and be whole seconds, `exp` has no leeway,
 * and the kind of token is the configured one.
 *
 * @param key  the issuer's, for the token's `kid` and this algorithm
 * @throws {RefusedError} naming the claim at fault
 */
export async function verifyToken(
  token: Token,
  { issuer, algorithm }: { readonly issuer: Issuer; readonly algorithm: Algorithm },
  key: CryptoKey,
  nowMs: number,
): Promise<Identity> {
  const { claims } = token;
  await checkByLibrary(token, algorithm, issuer, key, nowMs);
  const expiresAtSeconds = seconds(claims['exp'], 'exp');
  const issuedAtSeconds = seconds(claims['iat'], 'iat');
  if (claims['nbf'] !== undefined) seconds(claims['nbf'], 'nbf');
  if (expiresAtSeconds * 1000 <= nowMs) refuse('EXPIRED', 'claims.exp', 'is over');
  if (issuedAtSeconds > expiresAtSeconds) wrong('iat', 'is behind exp');
  if (!isAudience(claims[issuer.audienceClaim], issuer)) {
    wrong(issuer.audienceClaim, 'is not an audience of this stage');
  }
  if (claims[issuer.use.claim] !== issuer.use.value) {
    wrong(issuer.use.claim, 'is not the kind of token taken here');
  }
  const subject = claims['sub'];
  if (typeof subject !== 'string' || subject === '' || subject.length > 256) {
    return wrong('sub', 'wants a text of 1 to 256 characters');
  }
  return {
    principalId: principalOf('token', issuer.issuer, subject),
    thing: nameIn(claims, issuer.thingClaim),
    fleet: nameIn(claims, issuer.fleetClaim),
    expiresAtMs: expiresAtSeconds * 1000,
  };
}

async function checkByLibrary(
  { text }: Token,
  algorithm: Algorithm,
  issuer: Issuer,
  key: CryptoKey,
  nowMs: number,
): Promise<void> {
  try {
    await jwtVerify(text, key, {
      algorithms: [algorithm],
      issuer: issuer.issuer,
      ...(issuer.audienceClaim === 'aud' && { audience: issuer.audiences }),
      requiredClaims: ['exp', 'iat', 'sub'],
      maxTokenAge: issuer.maxAgeSeconds,
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(nowMs),
    });
  } catch (error) {
    refuseAsLibrary(error);
  }
}

/** The library's errors hold the claims, so nothing of them goes on but which claim it was. */
function refuseAsLibrary(error: unknown): never {
  if (error instanceof errors.JWTExpired) refuse('EXPIRED', `claims.${error.claim}`, 'is over');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const early = error.reason === 'check_failed' && ['nbf', 'iat'].includes(error.claim);
    if (early) refuse('NOT_YET_VALID', `claims.${error.claim}`, 'is in the future');
    wrong(error.claim, error.reason === 'missing' ? 'is missing' : 'is not as it has to be');
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    refuse('BAD_SIGNATURE', 'signature', 'is not by the key that the header names');
  }
  return refuse('MALFORMED_TOKEN', 'token', 'is not one that can be verified');
}

function seconds(value: unknown, claim: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
    if (value <= LATEST_SECONDS) return value;
  }
  return wrong(claim, 'wants whole seconds of the years 1970 to 9999');
}

function isAudience(value: unknown, { audiences }: Issuer): boolean {
  const named: readonly unknown[] = Array.isArray(value) ? value : [value];
  return (
    named.every((one) => typeof one === 'string') && audiences.some((one) => named.includes(one))
  );
}

function nameIn(claims: Token['claims'], claim: string): string {
  const value = claims[claim];
  if (typeof value === 'string' && NAME.test(value)) return value;
  return wrong(claim, 'wants 1 to 64 of A-Z a-z 0-9 _ -');
}

const wrong = (claim: string, problem: string): never =>
  refuse('WRONG_CLAIM', `claims.${claim}`, problem);
