import { Buffer } from 'node:buffer';
import type { Log } from '../core/log.ts';
import { AwsError } from '../operations/operation.ts';
import type { InvokeOptions, InvokeResult } from './lambda.ts';
import type { AsyncSettings } from './lambda-async-settings.ts';
import { type Authorize, actingAs, destinationNeed, serviceOf } from './lambda-authorize.ts';
import type { Clock } from './lambda-clock.ts';
import type { FunctionSpec } from './lambda-function.ts';
import { toJson } from './lambda-json.ts';

export interface Delivery {
  readonly body: string;
  /** Message attributes, all strings; only a dead-letter queue gets some. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface AsyncDeps {
  readonly find: (nameOrArn: string) => FunctionSpec;
  readonly invoke: (name: string, event: unknown, options: InvokeOptions) => Promise<InvokeResult>;
  readonly settingsOf: (functionName: string) => AsyncSettings;
  /** Puts a message on the queue or topic of that ARN. */
  readonly deliver: (destinationArn: string, delivery: Delivery) => Promise<void>;
  readonly authorize: Authorize;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly uuid: () => string;
  readonly log: Log;
}

export interface AsyncInvoker {
  /**
   * Takes an event to be run later.
   *
   * @returns the request id that every attempt will carry
   * @throws {AwsError} `ResourceNotFoundException`, `RequestTooLargeException` (over 1 MB of JSON)
   */
  readonly submit: (nameOrArn: string, event: unknown) => string;
  /** Resolves once no event waits or runs. */
  readonly idle: () => Promise<void>;
  /** Gives up on what waits, and says how many events those were. */
  readonly close: () => Promise<void>;
}

interface Entry {
  readonly spec: FunctionSpec;
  readonly settings: AsyncSettings;
  readonly event: unknown;
  readonly requestId: string;
  readonly submittedAtMs: number;
}

type Condition = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';

const EVENT_LIMIT_BYTES = 1024 * 1024;
const RETRY_WAITS_MS = [60_000, 120_000];
const THROTTLE_WAIT_MS = { first: 1000, most: 300_000 };

/**
 * Lambda's queue of asynchronous invocations: an event is run until it succeeds, its retries are used
 * up (waits of one and two minutes), or it is too old. Throttled events come back after one second to
 * five minutes and use no retry. Kept in memory: what waits when the laptop stops is lost, and said.
 *
 * @see Lambda Developer Guide, "Invoking a Lambda function asynchronously", "Capturing records of
 *   Lambda asynchronous invocations"
 */
export function createAsyncInvoker(deps: AsyncDeps): AsyncInvoker {
  const { clock, log } = deps;
  const underWay = new Set<Promise<void>>();
  const stop = new AbortController();
  let lost = 0;

  const submit = (nameOrArn: string, event: unknown): string => {
    checkSize(event);
    const spec = deps.find(nameOrArn);
    const requestId = deps.uuid();
    const entry: Entry = {
      spec,
      settings: deps.settingsOf(spec.name),
      event,
      requestId,
      submittedAtMs: clock.now(),
    };
    const work = run(entry).catch((error: unknown) => complain(entry, 'was lost', error));
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
    return requestId;
  };

  const run = async (entry: Entry): Promise<void> => {
    const { spec, settings } = entry;
    if (spec.reservedConcurrency === 0) return await discard(entry, 'RetriesExhausted', 0);
    let [invocations, throttles] = [0, 0];
    for (;;) {
      if (stop.signal.aborted) {
        lost += 1;
        return;
      }
      if (clock.now() - entry.submittedAtMs > settings.maximumEventAgeSeconds * 1000) {
        return await discard(entry, 'EventAgeExceeded', invocations);
      }
      const result = await attempt(entry);
      if (result === 'throttled') {
        await clock.sleep(throttleWaitMs(throttles++, deps.random()), stop.signal);
        continue;
      }
      const retries = invocations++;
      if (result.ok) return await conclude(entry, 'Success', invocations, result);
      if (retries >= settings.maximumRetryAttempts) {
        return await discard(entry, 'RetriesExhausted', invocations, result);
      }
      await clock.sleep(RETRY_WAITS_MS[retries] ?? 0, stop.signal);
    }
  };

  const attempt = async ({
    spec,
    event,
    requestId,
  }: Entry): Promise<InvokeResult | 'throttled'> => {
    try {
      return await deps.invoke(spec.name, event, { requestId });
    } catch (error) {
      if (error instanceof AwsError && error.code !== 'TooManyRequestsException') throw error;
      return 'throttled';
    }
  };

  const discard = async (
    entry: Entry,
    condition: Condition,
    invocations: number,
    result?: InvokeResult,
  ): Promise<void> => {
    complain(entry, `was given up: ${condition}`);
    await conclude(entry, condition, invocations, result);
    if (entry.settings.deadLetterArn === undefined) return;
    await send(entry, entry.settings.deadLetterArn, deadLetter(entry, result));
  };

  const conclude = async (
    entry: Entry,
    condition: Condition,
    invocations: number,
    result?: InvokeResult,
  ): Promise<void> => {
    const { onSuccessArn, onFailureArn } = entry.settings;
    const arn = condition === 'Success' ? onSuccessArn : onFailureArn;
    if (arn === undefined) return;
    const record = destinationRecord(entry, condition, invocations, clock.now(), result);
    await send(entry, arn, { body: JSON.stringify(record) }, record);
  };

  const send = async (entry: Entry, arn: string, delivery: Delivery, record?: unknown) => {
    const caller = actingAs(entry.spec.name, entry.spec.roleArn);
    const { allowed, explanation } = deps.authorize(caller, destinationNeed(arn));
    if (!allowed) return complain(entry, `could not be sent to ${arn}: ${explanation}`);
    try {
      if (serviceOf(arn) === 'lambda') submit(arn, record);
      else await deps.deliver(arn, delivery);
    } catch (error) {
      complain(entry, `could not be sent to ${arn}`, error);
    }
  };

  const complain = ({ spec, requestId }: Entry, what: string, error?: unknown): void => {
    const why = error === undefined ? '' : `: ${String(error)}`;
    const message = `an asynchronous event ${what}${why}`;
    log({ level: 'error', source: 'lambda', message, function: spec.name, requestId });
  };

  return {
    submit,
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    async close() {
      stop.abort();
      await Promise.all(underWay);
      const message = `${lost} asynchronous events were waiting for another try and are lost`;
      if (lost > 0) log({ level: 'warn', source: 'lambda', message });
    },
  };
}

function checkSize(event: unknown): void {
  const bytes = Buffer.byteLength(toJson(event));
  if (bytes <= EVENT_LIMIT_BYTES) return;
  const message = `An asynchronous event has at most ${EVENT_LIMIT_BYTES} bytes, this one ${bytes}`;
  throw new AwsError('RequestTooLargeException', message, 413);
}

/** Doubles from one second to five minutes; the last half of each is random, so that events spread. */
function throttleWaitMs(before: number, random: number): number {
  const full = Math.min(THROTTLE_WAIT_MS.first * 2 ** before, THROTTLE_WAIT_MS.most);
  return full * (0.5 + random / 2);
}

/** An event too old to be run has no response to tell of. */
function destinationRecord(
  { spec, requestId, event }: Entry,
  condition: Condition,
  invocations: number,
  nowMs: number,
  result?: InvokeResult,
): object {
  return {
    version: '1.0',
    timestamp: new Date(nowMs).toISOString(),
    requestContext: {
      requestId,
      functionArn: `${spec.arn}:$LATEST`,
      condition,
      approximateInvokeCount: invocations,
    },
    requestPayload: event,
    ...(result && {
      responseContext: {
        statusCode: 200,
        executedVersion: '$LATEST',
        ...(!result.ok && { functionError: result.functionError }),
      },
      responsePayload: result.payload,
    }),
  };
}

/** The bare event; what went wrong is in the attributes, the error's text cut at 1 KB. */
function deadLetter({ event, requestId }: Entry, result?: InvokeResult): Delivery {
  const failed = result && !result.ok ? result.payload.errorMessage : 'not run';
  return {
    body: toJson(event),
    attributes: { RequestID: requestId, ErrorCode: '200', ErrorMessage: failed.slice(0, 1024) },
  };
}
