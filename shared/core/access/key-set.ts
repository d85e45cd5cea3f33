import { type CryptoKey, importJWK, type JWK } from 'jose';
import * as z from 'zod';
import type { Algorithm } from './issuer.ts';
import { refuse } from './refused.ts';

/** Keys of an issuer by their ids, as published; none is imported yet. */
export type KeySet = ReadonlyMap<string, JWK>;

const Text = z.string().min(1).max(4_096);
const Key = z.object({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  kid: z.string().min(1).max(256),
  use: z.literal('sig').optional(),
  key_ops: z
    .array(z.string())
    .refine((uses) => uses.includes('verify'))
    .optional(),
  alg: Text.optional(),
  n: Text.optional(),
  e: Text.optional(),
  crv: Text.optional(),
  x: Text.optional(),
  y: Text.optional(),
  /** A private key that somebody published is known to everybody. */
  d: z.undefined().optional(),
});
const Keys = z.object({ keys: z.array(z.unknown()).max(64) });

const TYPES: Readonly<Record<Algorithm, JWK['kty']>> = {
  RS256: 'RSA',
  RS384: 'RSA',
  RS512: 'RSA',
  PS256: 'RSA',
  ES256: 'EC',
  ES384: 'EC',
  EdDSA: 'OKP',
};

/**
 * Reads a JSON Web Key Set. Keys that cannot verify here (symmetric, for encryption, without id, private) are left
 * out; of two with one id the first stays.
 *
 * @throws {Error} when it is no key set
 * @see RFC 7517, clauses 4 and 5
 */
export function readKeySet(text: string): KeySet {
  const { keys } = Keys.parse(JSON.parse(text));
  const set = new Map<string, JWK>();
  for (const candidate of keys) {
    const { data } = Key.safeParse(candidate);
    if (data === undefined || set.has(data.kid)) continue;
    set.set(data.kid, present(data));
  }
  return set;
}

const present = (key: z.infer<typeof Key>): JWK => {
  const { kty, kid, alg, n, e, crv, x, y } = key;
  const fields = Object.entries({ kid, alg, n, e, crv, x, y });
  return { kty, ...Object.fromEntries(fields.filter(([, value]) => value !== undefined)) };
};

/**
 * The key made ready for one algorithm and no other.
 *
 * @throws {RefusedError} `UNKNOWN_KEY` when it is not for that algorithm, or too weak (RSA below 2,048 bits)
 */
export async function importKey(key: JWK, algorithm: Algorithm): Promise<CryptoKey> {
  if (key.kty !== TYPES[algorithm] || (key.alg ?? algorithm) !== algorithm) return unfit();
  const imported = await importJWK(key, algorithm).catch(unfit);
  return imported instanceof Uint8Array || isWeak(imported) ? unfit() : imported;
}

function isWeak({ algorithm }: CryptoKey): boolean {
  const bits: unknown = Reflect.get(algorithm, 'modulusLength');
  return typeof bits === 'number' && bits < 2_048;
}

const unfit = (): never =>
  refuse('UNKNOWN_KEY', 'header.kid', 'names a key that is not for this algorithm');
