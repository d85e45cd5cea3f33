import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { Name, TimeMs } from '../names.ts';
import { type Identity, principalOf } from './identity.ts';
import { refuse } from './refused.ts';

/** 128 bits to find it by, 256 bits to prove it by; nobody thinks up such a thing, so passwords of people fall out. */
const SECRET = /^trs1_([A-Za-z0-9_-]{22})_[A-Za-z0-9_-]{43}$/;
const ID_BYTES = 16;
const PROOF_BYTES = 32;
const DIGEST_BYTES = 32;

/** What is kept of a device's secret: enough to recognise it, too little to present it. */
export const KeptSecret = z.object({
  id: z.string().length(22),
  thing: Name,
  fleet: Name,
  /** HMAC-SHA-256 of the secret under the pepper of that version, base64url. */
  digest: z.string().length(43),
  pepper: z.int().positive(),
  status: z.enum(['active', 'revoked']),
  createdAtMs: TimeMs,
  expiresAtMs: TimeMs.optional(),
});
export type KeptSecret = z.infer<typeof KeptSecret>;

export interface NewSecret {
  /** What the device is given, once. */
  readonly text: string;
  readonly kept: KeptSecret;
}

/** A pepper and its version. */
export interface Pepper {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** Makes a secret; it is shown to its device and never stored. */
export function makeSecret(
  owner: Pick<KeptSecret, 'thing' | 'fleet' | 'createdAtMs' | 'expiresAtMs'>,
  pepper: Pepper,
  randomBytes: (count: number) => Uint8Array,
): NewSecret {
  const id = base64url(randomBytes(ID_BYTES));
  const text = `trs1_${id}_${base64url(randomBytes(PROOF_BYTES))}`;
  const digest = base64url(digestOf(text, pepper.bytes));
  return {
    text,
    kept: KeptSecret.parse({ ...owner, id, digest, pepper: pepper.version, status: 'active' }),
  };
}

export const isSecret = (text: string): boolean => text.startsWith('trs1_');

/** @throws {RefusedError} `MALFORMED_SECRET` for all that was not issued by this service, words people choose included */
export const secretId = (text: string): string =>
  SECRET.exec(text)?.[1] ?? refuse('MALFORMED_SECRET', 'secret', 'is not one issued here');

/** Stands in for a record that there is not, so that looking for it takes as long. */
export const NO_SECRET: KeptSecret = {
  id: 'A'.repeat(22),
  thing: '-',
  fleet: '-',
  digest: 'A'.repeat(43),
  pepper: 1,
  status: 'revoked',
  createdAtMs: 0,
};

/**
 * Whose secret it is. The comparison takes the same time wherever the digests differ.
 *
 * @param kept  the record under the secret's id, or `NO_SECRET`
 * @throws {RefusedError} `UNKNOWN_SECRET`, `REVOKED_SECRET` or `EXPIRED`
 */
export function verifySecret(
  text: string,
  kept: KeptSecret,
  pepper: Uint8Array,
  nowMs: number,
): Identity {
  const expected = Buffer.alloc(DIGEST_BYTES);
  Buffer.from(kept.digest, 'base64url').copy(expected);
  const matches = timingSafeEqual(digestOf(text, pepper), expected);
  if (!matches) refuse('UNKNOWN_SECRET', 'secret', 'belongs to no device');
  if (kept.status !== 'active') refuse('REVOKED_SECRET', 'secret', 'was revoked');
  if (kept.expiresAtMs !== undefined && kept.expiresAtMs <= nowMs) {
    refuse('EXPIRED', 'secret', 'is over');
  }
  const { id, thing, fleet, expiresAtMs } = kept;
  return { principalId: principalOf('secret', id), thing, fleet, expiresAtMs };
}

const digestOf = (text: string, pepper: Uint8Array): Buffer =>
  createHmac('sha256', pepper).update(`tributary device secret 1\n${text}`).digest();

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
