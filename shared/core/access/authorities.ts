import * as z from 'zod';
import { Name } from '../names.ts';

const CERTIFICATE_ID = /^[0-9a-f]{64}$/;
export const CertificateId = z.string().regex(CERTIFICATE_ID, 'wants 64 hexadecimal digits');

const Authorities = z
  .array(
    z.strictObject({
      /** Id of the CA certificate, as AWS IoT registered it. */
      id: CertificateId,
      /** The fleets whose devices it may sign: one tenant's CA makes no device of another's. */
      fleets: z.array(Name).min(1).max(1_000),
    }),
  )
  .max(100)
  .refine(
    (authorities) => new Set(authorities.map(({ id }) => id)).size === authorities.length,
    'names an authority twice',
  );

/** Fleets by CA certificate id. */
export type Authorities = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The authorities whose devices a stage registers.
 *
 * @param text  JSON, as it stands in the environment
 * @throws {Error} naming each place that is wrong
 */
export function parseAuthorities(text: string): Authorities {
  const result = Authorities.safeParse(parseJson(text));
  if (result.success) {
    return new Map(result.data.map(({ id, fleets }) => [id, new Set(fleets)]));
  }
  const problems = result.error.issues.map(({ path, message }) => `[${path.join('.')}] ${message}`);
  throw new Error(`authorities: ${problems.join('; ')}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('authorities: is not JSON');
  }
}
