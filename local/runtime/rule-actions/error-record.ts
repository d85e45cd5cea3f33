import type { SqlMessage } from '../../core/sql/index.ts';

/** One action that failed for one message. */
export type Failure = {
  readonly failedAction: string;
  readonly failedResource: string;
  readonly errorMessage: string;
};

/**
 * What an error action receives: one record for a rule and message, with all failures.
 *
 * @see IoT Core Developer Guide, Error handling (error action)
 */
export const errorRecord = (
  ruleName: string,
  message: SqlMessage,
  traceId: string,
  failures: readonly Failure[],
) => ({
  ruleName,
  topic: message.topic,
  cloudwatchTraceId: traceId,
  clientId: message.clientId ?? 'n/a',
  base64OriginalPayload: Buffer.from(message.payload).toString('base64'),
  failures,
});
