import type { FunctionError } from './lambda-error.ts';

export interface WorkerData {
  readonly taskRoot: string;
  readonly handler: string;
}

/** One invocation, as a worker gets it. */
export interface Call {
  readonly requestId: string;
  /** The event as JSON. */
  readonly event: string;
  readonly deadlineMs: number;
  readonly traceId: string;
  readonly functionArn: string;
  readonly clientContext?: unknown;
}

export type LineLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a worker says: it is ready, a line was logged, the event was answered, or it is about to end. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'line';
      readonly level: LineLevel;
      readonly line: string;
      readonly requestId?: string;
    }
  | { readonly kind: 'result'; readonly payload: string }
  | { readonly kind: 'error'; readonly error: FunctionError }
  | { readonly kind: 'fatal'; readonly error: FunctionError };
