import type { CryptoKey } from 'jose';
import type { Algorithm, Issuer } from '../../core/access/issuer.ts';
import { importKey, type KeySet, readKeySet } from '../../core/access/key-set.ts';
import { refuse } from '../../core/access/refused.ts';

/** How an issuer's keys age. */
export const KEY_AGES = {
  /** From then on they are asked for again; if that fails, they are still taken. */
  freshMs: 10 * 60_000,
  /** From then on they are not taken, whatever happens: a key that was withdrawn ends here. */
  maximumMs: 60 * 60_000,
  /** Between two askings, so that made-up key ids cannot make us flood the issuer. */
  backOffMs: 10_000,
} as const;

interface Ring {
  keys: KeySet;
  fetchedAtMs: number;
  askedAtMs: number;
  asking: Promise<void> | undefined;
  readonly imported: Map<string, Promise<CryptoKey>>;
}

/**
 * The keys of issuers, kept by each container. However many ask, one request is under way for an issuer; its URL is
 * the configured one.
 *
 * @param fetchKeys  the text of a key set; has to end in time and size
 */
export const keyRing = (fetchKeys: (url: string) => Promise<string>, now: () => number) => {
  const rings = new Map<string, Ring>();

  const ringOf = ({ issuer }: Issuer): Ring => {
    const ring = rings.get(issuer) ?? {
      keys: new Map(),
      fetchedAtMs: Number.NEGATIVE_INFINITY,
      askedAtMs: Number.NEGATIVE_INFINITY,
      asking: undefined,
      imported: new Map(),
    };
    rings.set(issuer, ring);
    return ring;
  };

  const renew = async (ring: Ring, { keysUrl }: Issuer): Promise<void> => {
    const askedAtMs = now();
    ring.askedAtMs = askedAtMs;
    try {
      const keys = readKeySet(await fetchKeys(keysUrl));
      ring.keys = keys;
      ring.imported.clear();
      ring.fetchedAtMs = askedAtMs;
    } catch {
      // the keys there are stay until they are too old, which is looked at below
    } finally {
      ring.asking = undefined;
    }
  };

  const freshen = async (ring: Ring, issuer: Issuer, keyId: string): Promise<void> => {
    const nowMs = now();
    if (ring.keys.has(keyId) && nowMs - ring.fetchedAtMs < KEY_AGES.freshMs) return;
    if (ring.asking === undefined && nowMs - ring.askedAtMs < KEY_AGES.backOffMs) return;
    ring.asking ??= renew(ring, issuer);
    await ring.asking;
  };

  return {
    /** @throws {RefusedError} `KEYS_UNAVAILABLE` or `UNKNOWN_KEY` */
    async find(issuer: Issuer, keyId: string, algorithm: Algorithm): Promise<CryptoKey> {
      const ring = ringOf(issuer);
      await freshen(ring, issuer, keyId);
      if (now() - ring.fetchedAtMs >= KEY_AGES.maximumMs) {
        return refuse('KEYS_UNAVAILABLE', 'header.kid', 'the keys of the issuer cannot be had');
      }
      const key = ring.keys.get(keyId);
      if (key === undefined) return refuse('UNKNOWN_KEY', 'header.kid', 'is no key of the issuer');
      const name = `${algorithm} ${keyId}`;
      const imported = ring.imported.get(name) ?? importKey(key, algorithm);
      ring.imported.set(name, imported);
      return imported;
    },
  };
};
