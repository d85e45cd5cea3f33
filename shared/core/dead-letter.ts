import * as z from 'zod';
import type { RejectedError } from './errors.ts';
import { TimeMs } from './names.ts';

/**
 * A record that no retry can mend, whole, with the reason. Putting `data` back on `stream` under `partitionKey`
 * replays it: message id, receive time and principal are inside, and stay.
 */
export const DeadLetter = z.object({
  v: z.literal(1),
  function: z.string().min(1),
  code: z.string().min(1),
  issues: z.array(z.string()),
  stream: z.string().min(1),
  /** Where `stream` is the name of a queue: `data` is the body of a message then. */
  isQueue: z.literal(true).optional(),
  partitionKey: z.string().min(1).max(256),
  /** The record's exact bytes, base64. */
  data: z.string(),
  sequenceNumber: z.string().min(1),
  failedAtMs: TimeMs,
});
export type DeadLetter = z.infer<typeof DeadLetter>;

/** Where a record came from, and what it held. */
export type Origin = Pick<
  DeadLetter,
  'stream' | 'isQueue' | 'partitionKey' | 'data' | 'sequenceNumber'
>;

export const deadLetter = (
  functionName: string,
  { stream, isQueue, partitionKey, data, sequenceNumber }: Origin,
  { code, issues }: Pick<RejectedError, 'code' | 'issues'>,
  failedAtMs: number,
): DeadLetter => ({
  v: 1,
  function: functionName,
  code,
  issues: [...issues],
  stream,
  ...(isQueue === true ? { isQueue } : {}),
  partitionKey,
  data,
  sequenceNumber,
  failedAtMs,
});
