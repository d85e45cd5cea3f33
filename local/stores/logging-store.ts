export const LOG_LEVELS = ['DEBUG', 'INFO', 'ERROR', 'WARN', 'DISABLED'] as const;

/** @see AWS IoT API Reference, SetV2LoggingOptions */
export interface LoggingOptions {
  readonly roleArn?: string | undefined;
  readonly defaultLogLevel?: (typeof LOG_LEVELS)[number] | undefined;
  readonly disableAllLogs?: boolean | undefined;
}

/** Whether the account's logging is on: nothing is logged by it here, but audits ask. */
export interface LoggingStore {
  readonly options: () => LoggingOptions | undefined;
  readonly set: (options: LoggingOptions) => void;
  readonly enabled: () => boolean;
}

export function createLoggingStore(declared?: LoggingOptions): LoggingStore {
  let options = declared;
  return {
    options: () => options,
    set: (next) => {
      options = next;
    },
    enabled: () =>
      options !== undefined &&
      options.disableAllLogs !== true &&
      options.defaultLogLevel !== 'DISABLED',
  };
}
