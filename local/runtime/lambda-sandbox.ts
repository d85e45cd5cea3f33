import { Worker } from 'node:worker_threads';
import type { Log } from '../core/log.ts';
import type { Clock } from './lambda-clock.ts';
import {
  exitedWith,
  type FunctionError,
  functionError,
  outOfMemory,
  timedOut,
} from './lambda-error.ts';
import type { FunctionSpec } from './lambda-function.ts';
import type { Call, WorkerData, WorkerMessage } from './lambda-messages.ts';

export type Outcome =
  | {
      readonly kind: 'result';
      readonly payload: string;
      /** The last line that was logged meanwhile. */
      readonly lastLine?: string;
    }
  | { readonly kind: 'error'; readonly error: FunctionError };

/** One execution environment: a worker thread that holds one handler and answers one event at a time. */
export interface Sandbox {
  readonly isAlive: () => boolean;
  readonly invoke: (call: Omit<Call, 'deadlineMs'>) => Promise<Outcome>;
  readonly close: () => Promise<void>;
}

/** What loading the code may take before it eats into the function's timeout. */
const INIT_LIMIT_MS = 10_000;

interface Deps {
  readonly spec: FunctionSpec;
  readonly environment: Record<string, string>;
  readonly clock: Clock;
  readonly log: Log;
}

export function startSandbox({ spec, environment, clock, log }: Deps): Sandbox {
  const workerData: WorkerData = { taskRoot: spec.codeDirectory, handler: spec.handler };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    env: environment,
    execArgv: [],
    name: spec.name,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: spec.memoryMb },
  });
  const ready = Promise.withResolvers<void>();
  let settle: ((outcome: Outcome) => void) | undefined;
  let requestId = '';
  let lastLine: string | undefined;
  let reason: FunctionError | undefined;
  let alive = true;

  const finish = (outcome: Outcome): void => {
    settle?.(outcome);
    settle = undefined;
  };

  const end = (code: number): void => {
    alive = false;
    ready.resolve();
    if (settle === undefined && reason !== undefined) complain(reason);
    finish({ kind: 'error', error: reason ?? exitedWith(requestId, code) });
  };

  const complain = ({ errorType, errorMessage }: FunctionError): void =>
    log({
      level: 'error',
      source: 'lambda',
      message: 'the execution environment ended between two events',
      function: spec.name,
      errorType,
      errorMessage,
    });

  const logLine = ({ level, line, requestId: of }: WorkerMessage & { kind: 'line' }): void => {
    if (of === requestId) lastLine = line;
    log({ level, source: 'lambda', message: line, function: spec.name, requestId: of });
  };

  const answered = (result: WorkerMessage & { kind: 'result' }): Outcome =>
    lastLine === undefined ? result : { ...result, lastLine };

  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'ready') ready.resolve();
    else if (message.kind === 'line') logLine(message);
    else if (message.kind === 'fatal') reason = message.error;
    else finish(message.kind === 'result' ? answered(message) : message);
  });
  worker.on('error', (error: Error & { code?: string }) => {
    const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    reason = isMemory ? outOfMemory(requestId) : functionError(error);
  });
  worker.on('exit', end);
  worker.unref();

  const endIfLate = async (answered: AbortSignal): Promise<void> => {
    await Promise.race([ready.promise, clock.sleep(INIT_LIMIT_MS, answered)]);
    await clock.sleep(spec.timeoutSeconds * 1000, answered);
    if (answered.aborted) return;
    alive = false;
    reason = timedOut(clock.now(), requestId, spec.timeoutSeconds);
    await worker.terminate();
  };

  return {
    isAlive: () => alive,

    async invoke(call) {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      ({ requestId } = call);
      lastLine = undefined;
      settle = resolve;
      const deadlineMs = clock.now() + spec.timeoutSeconds * 1000;
      worker.ref();
      worker.postMessage({ ...call, deadlineMs } satisfies Call);
      const done = new AbortController();
      const watch = endIfLate(done.signal);
      const outcome = await promise;
      done.abort();
      await watch;
      worker.unref();
      return outcome;
    },

    async close() {
      await worker.terminate();
    },
  };
}
