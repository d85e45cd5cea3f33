import type { Log } from './log.ts';

/** A middleware for middy: logs what escapes a handler, once, and lets it escape, as the event source retries. */
export const logFaults = (log: Log) => ({
  onError({ error }: { readonly error: unknown }): void {
    log('error', 'invocation failed', { error });
  },
});
