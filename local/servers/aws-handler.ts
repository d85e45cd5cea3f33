import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../core/log.ts';
import { AwsError, type Caller, checkInput, type Operation } from '../operations/operation.ts';
import { type Authorize, demand } from './aws-access.ts';
import { errorAnswer, outputAnswer, sendAnswer } from './aws-answer.ts';
import { type Disturbance, disturbance, type Faults, loseAnswer } from './aws-faults.ts';
import {
  type AwsRequest,
  type HttpRequest,
  type HttpResponse,
  readRequest,
} from './aws-request.ts';
import { type Call, createRouter } from './aws-routes.ts';

export interface AwsHandlerOptions {
  readonly operations: readonly Operation[];
  readonly callerOf: (accessKeyId: string) => Caller;
  readonly authorize: Authorize;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly log: Log;
  readonly faults?: Faults;
  /** 16 MiB unless said otherwise. */
  readonly maxBodyBytes?: number;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const OPERATOR: Caller = { kind: 'operator' };
const REST = { kind: 'rest' } as const;

/** Answers one AWS API request, also when it fails. */
export function createAwsHandler(options: AwsHandlerOptions) {
  const { callerOf, authorize, now, log, maxBodyBytes = MAX_BODY_BYTES } = options;
  const router = createRouter(options.operations);

  return async (raw: HttpRequest, response: HttpResponse): Promise<void> => {
    const startedAtMs = now();
    const requestId = randomUUID();
    response.setHeader('x-amzn-requestid', requestId);
    let call: Call | undefined;
    let caller = OPERATOR;
    try {
      const request = await readRequest(raw, requestId, maxBodyBytes);
      caller = request.credential ? callerOf(request.credential.accessKeyId) : OPERATOR;
      call = router.find(request);
      await perform({ response, request, caller, call });
      const { target } = call;
      const ms = now() - startedAtMs;
      log({ level: 'debug', source: 'aws', message: `${target} done`, caller: nameOf(caller), ms });
    } catch (reason) {
      const error = asAwsError(reason, requestId);
      say(error, reason, call?.target, caller);
      if (!response.headersSent) {
        sendAnswer(response, errorAnswer(call?.protocol ?? REST, error, requestId));
      }
    }
  };

  interface Turn {
    readonly response: HttpResponse;
    readonly request: AwsRequest;
    readonly caller: Caller;
    readonly call: Call;
  }

  async function perform({ response, request, caller, call }: Turn): Promise<void> {
    const { operation, target, protocol } = call;
    if (operation === undefined) throw unknownOperation(call);
    const code = operation.invalidInputCode ?? 'ValidationException';
    const input = checkInput(operation.input, call.input(), code);
    demand(authorize, caller, operation.needs(input), operation.denialCode);
    const { failIndexes = [] } = await disturb(response, { target, input, caller });
    if (failIndexes.length > 0 && operation.partialFailures !== true) {
      throw new Error(`The injected fault wants entries of ${target} to fail, which has none`);
    }
    const output = await operation.run({ input, caller, failIndexes });
    sendAnswer(response, outputAnswer(protocol, output, request.id));
  }

  async function disturb(
    response: HttpResponse,
    call: { target: string; input: unknown; caller: Caller },
  ): Promise<Disturbance> {
    const found = disturbance(options.faults?.(call));
    if (found.loseAnswer === true) loseAnswer(response);
    if (found.delayMs !== undefined) await delay(found.delayMs);
    return found;
  }

  function unknownOperation({ target, protocol }: Call): AwsError {
    if (protocol.kind === 'query') {
      return new AwsError('InvalidAction', `The laptop does not have ${target}.`);
    }
    if (protocol.kind === 'rest') {
      return new AwsError('UnknownOperationException', `The laptop does not have ${target}.`, 404);
    }
    const [prefix = ''] = target.split('.');
    const names = router.namesOf(prefix);
    const others = names.length > 0 ? ` Of ${prefix} it has ${names.join(', ')}.` : '';
    const message = `The laptop does not have ${target}.${others}`;
    return new AwsError('UnknownOperationException', message);
  }

  /** Denials are worth a warning, faults of our own an error; other refusals are the client's affair. */
  function say(error: AwsError, reason: unknown, target: string | undefined, caller: Caller): void {
    const details = { source: 'aws', code: error.code, caller: nameOf(caller) };
    const message = `${target ?? 'Request'} refused: ${error.message}`;
    if (error.statusCode >= 500 && error !== reason)
      log({ level: 'error', message, reason, ...details });
    else if (/AccessDenied/.test(error.code)) log({ level: 'warn', message, ...details });
    else log({ level: 'debug', message, ...details });
  }
}

/** What is no AwsError is a fault of ours: the log has it, the client only its request id. */
function asAwsError(reason: unknown, requestId: string): AwsError {
  if (reason instanceof AwsError) return reason;
  const message = `Something in the laptop failed; its log says what, under request ${requestId}.`;
  return new AwsError('InternalFailure', message, 500);
}

const nameOf = (caller: Caller): string =>
  caller.kind === 'function' ? caller.functionName : 'operator';
