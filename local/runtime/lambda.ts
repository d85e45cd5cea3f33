import { Buffer } from 'node:buffer';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Log } from '../core/log.ts';
import { AwsError } from '../operations/operation.ts';
import { type AsyncDeps, createAsyncInvoker } from './async-invocation.ts';
import { type AsyncSettings, DEFAULT_ASYNC_SETTINGS } from './lambda-async-settings.ts';
import type { Authorize } from './lambda-authorize.ts';
import { type Clock, systemClock } from './lambda-clock.ts';
import { type Credentials, environmentOf } from './lambda-environment.ts';
import { type FunctionError, functionError } from './lambda-error.ts';
import type { FunctionSpec } from './lambda-function.ts';
import { toJson } from './lambda-json.ts';
import { createPool, type Pool } from './lambda-pool.ts';
import { type Outcome, startSandbox } from './lambda-sandbox.ts';

export type { FunctionError } from './lambda-error.ts';
export type { FunctionSpec } from './lambda-function.ts';

export type InvokeResult =
  | {
      readonly ok: true;
      readonly payload: unknown;
      readonly requestId: string;
      /** The last line that the function logged meanwhile. */
      readonly lastLine?: string;
    }
  | {
      readonly ok: false;
      readonly functionError: 'Unhandled';
      readonly payload: FunctionError;
      readonly requestId: string;
    };

export interface InvokeOptions {
  /** The same for every attempt at one event. */
  readonly requestId?: string;
  /** What the handler finds in `context.clientContext`. */
  readonly clientContext?: unknown;
}

export interface LambdaRuntime {
  readonly functions: ReadonlyMap<string, FunctionSpec>;
  /** The function of that name or ARN, with or without `:$LATEST`. @throws {AwsError} `ResourceNotFoundException` */
  readonly find: (nameOrArn: string) => FunctionSpec;
  /**
   * Runs the function and waits. A failing function is an answer, not an error.
   *
   * @throws {AwsError} before the function runs: `ResourceNotFoundException`, `TooManyRequestsException`,
   *   `RequestTooLargeException` (over 6 MB of JSON), `InvalidRequestContentException` (no JSON can be made of it)
   */
  readonly invoke: (
    nameOrArn: string,
    event: unknown,
    options?: InvokeOptions,
  ) => Promise<InvokeResult>;
  /** Takes the event and answers at once, with the request id; see `createAsyncInvoker`. */
  readonly invokeAsync: (nameOrArn: string, event: unknown) => string;
  /** Resolves once no asynchronous event waits or runs. */
  readonly idle: () => Promise<void>;
  /** Ends every execution environment; what still runs is answered with an error. */
  readonly close: () => Promise<void>;
}

export interface LambdaOptions {
  readonly functions: readonly FunctionSpec[];
  /** URL of the local AWS endpoint, which every SDK call of a handler goes to. */
  readonly endpoint: string;
  readonly credentialsOf: (functionName: string) => Credentials;
  readonly log: Log;
  readonly clock?: Clock;
  readonly asynchronous?: AsyncOptions;
  /** For functions without a reserved concurrency of their own, as a laptop is no data centre. */
  readonly concurrencyLimit?: number;
}

export interface AsyncOptions {
  /** Per function; one without runs with Lambda's defaults, two retries and six hours. */
  readonly settings: ReadonlyMap<string, AsyncSettings>;
  readonly deliver: AsyncDeps['deliver'];
  readonly authorize: Authorize;
}

const NO_DESTINATIONS: AsyncOptions = {
  settings: new Map(),
  deliver: () => Promise.reject(new Error('there is nowhere to send to')),
  authorize: () => ({ allowed: true, explanation: '' }),
};

/** @see Lambda quotas: payload of a synchronous invocation, request and response each. */
const REQUEST_LIMIT_BYTES = 6 * 1024 * 1024;
const RESPONSE_LIMIT_BYTES = REQUEST_LIMIT_BYTES + 100;

/**
 * Functions run in worker threads from their unpacked packages, one event at a time in each, with the
 * environment of their template and nothing of the laptop's. Workers are kept warm and replaced when
 * they crash or time out. Handlers see the time zone of this process, so it is to run in UTC.
 */
export function createLambdaRuntime(options: LambdaOptions): LambdaRuntime {
  const { log, clock = systemClock, concurrencyLimit = 10 } = options;
  const functions = new Map(options.functions.map((spec) => [spec.name, spec]));
  const pools = new Map<string, Pool>();
  for (const spec of functions.values()) {
    const limit = spec.reservedConcurrency ?? concurrencyLimit;
    pools.set(
      spec.name,
      createPool(limit, () => startSandbox(sandboxOf(spec))),
    );
  }

  const sandboxOf = (spec: FunctionSpec) => {
    const { endpoint, credentialsOf } = options;
    const surroundings = {
      endpoint,
      credentials: credentialsOf(spec.name),
      logStream: logStream(clock.now()),
    };
    return { spec, clock, log, environment: environmentOf(spec, surroundings) };
  };

  const find = (nameOrArn: string): FunctionSpec => {
    const name = nameOrArn
      .replace(/:\$LATEST$/, '')
      .replace(/^(?:arn:aws:lambda:[^:]*:)?(?:\d*:)?function:/, '');
    const spec = functions.get(name);
    if (spec) return spec;
    throw new AwsError('ResourceNotFoundException', `Function not found: ${nameOrArn}`, 404);
  };

  const invoke: LambdaRuntime['invoke'] = async (nameOrArn, event, how = {}) => {
    const { requestId = randomUUID(), clientContext } = how;
    const spec = find(nameOrArn);
    const call = {
      requestId,
      event: toEvent(event),
      traceId: traceId(clock.now()),
      functionArn: spec.arn,
      ...(clientContext !== undefined && { clientContext }),
    };
    const startedAtMs = clock.now();
    const running = pools.get(spec.name)?.run((sandbox) => sandbox.invoke(call));
    if (!running) throw tooManyRequests(spec);
    const result = resultOf(await running.catch(notStarted), requestId);
    report(log, spec, result, clock.now() - startedAtMs);
    return result;
  };

  if (new Date(0).getTimezoneOffset() !== 0) {
    const message =
      'handlers see the time zone of this process, in Lambda it is UTC: start with TZ=UTC';
    log({ level: 'warn', source: 'lambda', message });
  }

  const { settings, deliver, authorize } = options.asynchronous ?? NO_DESTINATIONS;
  const asynchronous = createAsyncInvoker({
    find,
    invoke,
    settingsOf: (name) => settings.get(name) ?? DEFAULT_ASYNC_SETTINGS,
    deliver,
    authorize,
    clock,
    random: Math.random,
    uuid: randomUUID,
    log,
  });

  return {
    functions,
    find,
    invoke,
    invokeAsync: asynchronous.submit,
    idle: asynchronous.idle,
    async close() {
      const waiting = asynchronous.close();
      await Promise.all([...pools.values()].map((pool) => pool.close()));
      await waiting;
    },
  };
}

/** A thread that cannot be made, say for a `NODE_OPTIONS` it may not have. */
const notStarted = (error: unknown): Outcome => ({ kind: 'error', error: functionError(error) });

function toEvent(event: unknown): string {
  const json = stringify(event);
  const bytes = Buffer.byteLength(json);
  if (bytes <= REQUEST_LIMIT_BYTES) return json;
  const message = `Request must be smaller than ${REQUEST_LIMIT_BYTES} bytes for the InvokeFunction operation, it has ${bytes}`;
  throw new AwsError('RequestTooLargeException', message, 413);
}

function stringify(event: unknown): string {
  try {
    return toJson(event);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AwsError(
      'InvalidRequestContentException',
      `Could not make JSON of the event: ${why}`,
    );
  }
}

function tooManyRequests({ name, reservedConcurrency }: FunctionSpec): AwsError {
  const limit = reservedConcurrency === undefined ? 'the laptop' : 'its reserved concurrency';
  return new AwsError(
    'TooManyRequestsException',
    `Rate Exceeded: ${name} runs as often as ${limit} allows`,
    429,
  );
}

function resultOf(outcome: Outcome, requestId: string): InvokeResult {
  if (outcome.kind === 'error') return failure(outcome.error, requestId);
  const bytes = Buffer.byteLength(outcome.payload);
  if (bytes <= RESPONSE_LIMIT_BYTES) {
    const { payload, lastLine } = outcome;
    const answer = { ok: true, payload: JSON.parse(payload), requestId } as const;
    return lastLine === undefined ? answer : { ...answer, lastLine };
  }
  const errorMessage = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${RESPONSE_LIMIT_BYTES} bytes).`;
  return failure({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }, requestId);
}

const failure = (payload: FunctionError, requestId: string): InvokeResult => ({
  ok: false,
  functionError: 'Unhandled',
  payload,
  requestId,
});

function report(log: Log, spec: FunctionSpec, result: InvokeResult, durationMs: number): void {
  const { requestId } = result;
  const common = { source: 'lambda', function: spec.name, requestId, durationMs };
  if (result.ok) {
    log({ ...common, level: 'debug', message: 'answered' });
  } else {
    const { errorType, errorMessage } = result.payload;
    log({ ...common, level: 'error', message: `failed: ${errorType}: ${errorMessage}` });
  }
}

/** `Root=1-<time>-<random>`, as X-Ray writes it for what is not sampled. */
const traceId = (nowMs: number): string => {
  const seconds = Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0');
  const random = randomBytes(20).toString('hex');
  return `Root=1-${seconds}-${random.slice(0, 24)};Parent=${random.slice(24)};Sampled=0`;
};

const logStream = (nowMs: number): string => {
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '/');
  return `${day}/[$LATEST]${randomBytes(16).toString('hex')}`;
};
