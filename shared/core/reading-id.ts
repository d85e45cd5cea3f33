import { hash } from 'node:crypto';
import type { Kind } from './names.ts';

/** 22 characters of base64url: the first 132 bits of the digest. */
const ID_CHARS = 22;

/** What a sample offers for telling it from others, besides what the envelope knows. */
export interface Identity {
  readonly thing: string;
  readonly kind: Kind;
  /** Position in the payload. */
  readonly index: number;
  readonly messageId: string;
  /** The device's own id of the message; unique for that device and kind for as long as its history is kept. */
  readonly mid?: string | number | undefined;
  /** Whether the sample has a time or a counter of its own, so that equal bytes mean the same sample. */
  readonly timed: boolean;
}

/**
 * The reading's id, the same for each redelivery. The first that there is decides:
 * the device's message id; else the payload, when the sample has its own time or counter (both are in the
 * payload as sent, before any clamping); else the envelope's message id, as equal readings without a time are two.
 *
 * @param payload  `payloadKey` of the payload; asked for only when it decides
 */
export function readingId(identity: Identity, payload: () => string): string {
  if (identity.mid !== undefined) return idOf(typeof identity.mid, identity, String(identity.mid));
  if (identity.timed) return idOf('payload', identity, payload());
  return envelopeId(identity);
}

/** The id a reading has when its device offers nothing to tell it by. */
export const envelopeId = (identity: Omit<Identity, 'mid' | 'timed'>): string =>
  idOf('envelope', identity, identity.messageId);

const SHORT_CHARS = 1024;

/**
 * Stands for a payload in the ids of its samples: a short one for itself, a long one by its SHA-256, as it may hold a
 * thousand samples. The two cannot be mistaken: base64 has a multiple of 4 characters, this digest 43.
 *
 * @param base64  the payload, canonical base64
 */
export const payloadKey = (base64: string): string =>
  base64.length <= SHORT_CHARS ? base64 : hash('sha256', base64, 'base64url');

/** Injective: no field but the last, which ends the text, can hold the delimiter. */
const idOf = (
  scheme: string,
  { thing, kind, index }: Pick<Identity, 'thing' | 'kind' | 'index'>,
  last: string,
): string =>
  hash('sha256', `${scheme}\n${thing}\n${kind}\n${index}\n${last}`, 'base64url').slice(0, ID_CHARS);
