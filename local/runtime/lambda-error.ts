/** What Lambda answers when a function fails, in the shape of the Node.js runtime. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** A failure the runtime itself reports, under its own name for it. */
export class RuntimeError extends Error {
  readonly errorType: string;

  constructor(errorType: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.errorType = errorType;
    this.name = errorType;
  }
}

/** Whatever a handler threw; what is no `Error` is told by its type, as the Node.js runtime does. */
export function functionError(thrown: unknown): FunctionError {
  if (!(thrown instanceof Error)) {
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  }
  const { name, message, stack = '' } = thrown;
  return { errorType: name, errorMessage: message, trace: stack.split('\n') };
}

export const timedOut = (atMs: number, requestId: string, seconds: number): FunctionError => ({
  errorType: 'Sandbox.Timedout',
  errorMessage: `${new Date(atMs).toISOString()} ${requestId} Task timed out after ${seconds.toFixed(2)} seconds`,
});

const exited = (requestId: string, how: string): FunctionError => ({
  errorType: 'Runtime.ExitError',
  errorMessage: `RequestId: ${requestId} Error: Runtime exited ${how}`,
});

export const exitedWith = (requestId: string, code: number): FunctionError =>
  exited(requestId, code === 0 ? 'without providing a reason' : `with error: exit status ${code}`);

/** As when the kernel ends a function that took more memory than it was given. */
export const outOfMemory = (requestId: string): FunctionError =>
  exited(requestId, 'with error: signal: killed');
