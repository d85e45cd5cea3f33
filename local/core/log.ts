export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One thing that happened on the laptop; `source` is the piece that says it, details are plain values without secrets. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly source: string;
  readonly message: string;
  readonly [detail: string]: unknown;
}

export type Log = (entry: LogEntry) => void;
