const CALL_LIMIT_MS = 5_000;

/**
 * For clients over HTTP/1.1: no tries of the SDK's own (`retry.ts` does them, and knows leftovers and the time left),
 * and no call that hangs for longer than an invocation can wait.
 */
export const CLIENT_OPTIONS = {
  maxAttempts: 1,
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: CALL_LIMIT_MS,
    throwOnRequestTimeout: true,
  },
} as const;

/** For Kinesis, whose client speaks HTTP/2: there the limit is on an idle stream, and always an error. */
export const KINESIS_OPTIONS = {
  maxAttempts: 1,
  requestHandler: { requestTimeout: CALL_LIMIT_MS },
} as const;

/** For calls that somebody waits for at the door: two tries, over long before the five seconds of an authorizer. */
export const QUICK_OPTIONS = {
  maxAttempts: 2,
  requestHandler: {
    connectionTimeout: 500,
    requestTimeout: 1_000,
    throwOnRequestTimeout: true,
  },
} as const;
