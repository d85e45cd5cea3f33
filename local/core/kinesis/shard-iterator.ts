import * as z from 'zod';
import { decodeToken, encodeToken } from './opaque-token.ts';

const LIFETIME_MS = 5 * 60_000;

/** A place to go on reading: the record with this sequence number, or the next one after it. */
export interface ShardIterator {
  readonly stream: string;
  readonly shardId: string;
  readonly at: string;
}

const Fields = z.tuple([z.literal('iterator'), z.string(), z.string(), z.string(), z.number()]);

/** An opaque iterator, good for five minutes from `nowMs` as in AWS. */
export function encodeIterator({ stream, shardId, at }: ShardIterator, nowMs: number): string {
  return encodeToken(['iterator', stream, shardId, at, nowMs]);
}

/** @returns the iterator and the time it ceases to be good; undefined when it is none of ours. */
export function decodeIterator(
  text: string,
): (ShardIterator & { readonly expiresAtMs: number }) | undefined {
  const fields = Fields.safeParse(decodeToken(text));
  if (!fields.success) return undefined;
  const [, stream, shardId, at, issuedAtMs] = fields.data;
  return { stream, shardId, at, expiresAtMs: issuedAtMs + LIFETIME_MS };
}
