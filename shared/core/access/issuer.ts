import * as z from 'zod';

/** What may sign: asymmetric only, so that no public key can be taken for a shared secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

const ClaimName = z.string().min(1).max(128);

/** Plain HTTP stays on this machine or is not spoken: who could change the keys could sign tokens. */
const isSafeUrl = (text: string): boolean => {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return (
    url.protocol === 'https:' ||
    (url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname))
  );
};

/** An issuer of tokens that a stage trusts; nothing of it ever comes out of a token. */
export const Issuer = z.strictObject({
  /** The `iss` of its tokens, character by character. */
  issuer: z.string().min(1).max(512),
  /** Where its JSON Web Key Set is. */
  keysUrl: z.string().max(1024).refine(isSafeUrl, 'wants https://…, or http:// to this machine'),
  /** One of them has to be in the token. */
  audiences: z.array(z.string().min(1).max(512)).min(1).max(16),
  /** Access tokens of Cognito user pools carry `client_id` and no `aud`. */
  audienceClaim: z.enum(['aud', 'client_id']).default('aud'),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256']),
  /** The claim by which the issuer tells its kinds of token apart, and the kind that is taken here. */
  use: z
    .strictObject({
      claim: ClaimName.default('token_use'),
      value: z.string().min(1).max(128).default('access'),
    })
    .default({ claim: 'token_use', value: 'access' }),
  /** The claims that name the device, and its fleet. */
  thingClaim: ClaimName.default('custom:thing'),
  fleetClaim: ClaimName.default('custom:fleet'),
  /** How long after its issue a token is taken, whatever it says of its own end. */
  maxAgeSeconds: z.int().min(300).max(604_800).default(86_400),
});
export type Issuer = z.infer<typeof Issuer>;

const Issuers = z
  .array(Issuer)
  .max(16)
  .refine(
    (issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length,
    'names an issuer twice',
  );

/**
 * The stage's list of issuers.
 *
 * @param text  JSON, as it stands in the environment
 * @throws {Error} naming each place that is wrong
 */
export function parseIssuers(text: string): readonly Issuer[] {
  const result = Issuers.safeParse(parseJson(text));
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `[${path.join('.')}] ${message}`);
  throw new Error(`issuers: ${problems.join('; ')}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('issuers: is not JSON');
  }
}
