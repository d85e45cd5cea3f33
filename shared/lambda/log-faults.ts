import type middy from '@middy/core';
import type { Log } from './log.ts';

/** Logs what escapes a handler, once, and lets it escape: the event source retries. */
export const logFaults = (log: Log): middy.MiddlewareObj => ({
  onError: ({ error }) => log('error', 'invocation failed', { error }),
});
