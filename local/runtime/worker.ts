import { format } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { functionError, RuntimeError } from './lambda-error.ts';
import { type Handler, loadHandler } from './lambda-handler.ts';
import { toJson } from './lambda-json.ts';
import type { Call, LineLevel, WorkerData, WorkerMessage } from './lambda-messages.ts';

/*
 * The inside of one execution environment: loads one handler, then answers one event after another.
 * It ends itself on what would end the runtime's process in Lambda.
 */

if (!parentPort) throw new Error('this module is the entry of a worker thread');
const port = parentPort;
const { taskRoot, handler: handlerName } = workerData as WorkerData;
let requestId: string | undefined;

const say = (message: WorkerMessage): void => port.postMessage(message);

const logLine = (level: LineLevel, line: string): void =>
  say({ kind: 'line', level, line, ...(requestId !== undefined && { requestId }) });

const LEVELS = {
  debug: 'debug',
  error: 'error',
  info: 'info',
  log: 'info',
  trace: 'debug',
  warn: 'warn',
} as const;

function takeOverOutput(): void {
  for (const [method, level] of Object.entries(LEVELS)) {
    Object.defineProperty(console, method, {
      value: (...values: unknown[]) => logLine(level, format(...values)),
      configurable: true,
      writable: true,
    });
  }
  process.stdout.write = (chunk: unknown) => writeLines('info', String(chunk));
  process.stderr.write = (chunk: unknown) => writeLines('error', String(chunk));
}

function writeLines(level: LineLevel, text: string): true {
  for (const line of text.split('\n')) if (line !== '') logLine(level, line);
  return true;
}

function die(error: unknown, code: number): void {
  say({ kind: 'fatal', error: functionError(error) });
  process.exit(code);
}

const contextOf = (call: Call): object => ({
  awsRequestId: call.requestId,
  clientContext: call.clientContext,
  functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
  functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
  getRemainingTimeInMillis: () => call.deadlineMs - Date.now(),
  identity: undefined,
  invokedFunctionArn: call.functionArn,
  logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
  logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
  memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
});

function serialize(result: unknown): string {
  try {
    return toJson(result);
  } catch (error) {
    throw new Error('Unable to stringify response body', { cause: error });
  }
}

async function answer(handler: Handler, call: Call): Promise<void> {
  requestId = call.requestId;
  process.env['_X_AMZN_TRACE_ID'] = call.traceId;
  try {
    const result = await handler(JSON.parse(call.event), contextOf(call));
    say({ kind: 'result', payload: serialize(result) });
  } catch (error) {
    say({ kind: 'error', error: functionError(error) });
  }
}

takeOverOutput();
process.on('uncaughtException', (error) => die(error, 129));
process.on('unhandledRejection', (reason) => {
  die(new RuntimeError('Runtime.UnhandledPromiseRejection', String(reason), reason), 128);
});

try {
  const handler = await loadHandler(taskRoot, handlerName);
  port.on('message', (call: Call) => void answer(handler, call));
  say({ kind: 'ready' });
} catch (error) {
  die(error, 1);
}
