import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { zipSync } from 'fflate';
import type { LogEntry } from '../../../local/core/log.ts';
import {
  createLambdaRuntime,
  type FunctionSpec,
  type LambdaRuntime,
} from '../../../local/runtime/lambda.ts';
import { extractPackage } from '../../../local/runtime/lambda-package.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lambda-'));
  cleanUps.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

interface World {
  readonly lambda: LambdaRuntime;
  readonly log: LogEntry[];
  readonly lines: () => string[];
}

/** A runtime with one function, `probe`, of the given source. */
async function setup(
  source: string,
  changes: Partial<FunctionSpec> = {},
  file = 'functions/probe/handler.js',
): Promise<World> {
  const codeDirectory = await temporaryDirectory();
  await mkdir(dirname(join(codeDirectory, file)), { recursive: true });
  await writeFile(join(codeDirectory, file), source);
  const log: LogEntry[] = [];
  const lambda = createLambdaRuntime({
    functions: [
      {
        name: 'probe',
        arn: 'arn:aws:lambda:eu-central-1:000000000000:function:probe',
        roleArn: 'arn:aws:iam::000000000000:role/probe',
        handler: 'functions/probe/handler.handler',
        codeDirectory,
        timeoutSeconds: 5,
        memoryMb: 128,
        environment: {},
        ...changes,
      },
    ],
    endpoint: 'http://127.0.0.1:4566',
    credentialsOf: (name) => ({
      accessKeyId: `key-of-${name}`,
      secretAccessKey: 'secret',
      sessionToken: 'token',
    }),
    log: (entry) => log.push(entry),
  });
  cleanUps.push(() => lambda.close());
  const lines = () => log.filter(({ level }) => level === 'info').map(({ message }) => message);
  return { lambda, log, lines };
}

const handler = (body: string) => `exports.handler = async (event, context) => { ${body} };`;

describe('a handler', () => {
  it('answers an event', async () => {
    const { lambda } = await setup(handler('return { doubled: event.n * 2 };'));
    expect(await lambda.invoke('probe', { n: 21 })).toEqual({
      ok: true,
      payload: { doubled: 42 },
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it.each([
    { file: 'functions/probe/handler.js', source: 'exports.handler = async () => "js"', is: 'js' },
    {
      file: 'functions/probe/handler.cjs',
      source: 'exports.handler = async () => "cjs"',
      is: 'cjs',
    },
    {
      file: 'functions/probe/handler.mjs',
      source: 'export const handler = async () => "mjs"',
      is: 'mjs',
    },
    {
      file: 'functions/probe/handler.mjs',
      source: 'const late = await Promise.resolve("tla"); export const handler = async () => late',
      is: 'tla',
    },
  ])('is found in $file', async ({ file, source, is }) => {
    const { lambda } = await setup(source, {}, file);
    expect(await lambda.invoke('probe', {})).toMatchObject({ ok: true, payload: is });
  });

  it.each([
    { returns: 'undefined', payload: null },
    { returns: '() => 1', payload: null },
    { returns: '[undefined, NaN, new Date(0)]', payload: [null, null, '1970-01-01T00:00:00.000Z'] },
  ])('that returns $returns answers $payload', async ({ returns, payload }) => {
    const { lambda } = await setup(handler(`return ${returns};`));
    expect(await lambda.invoke('probe', {})).toMatchObject({ ok: true, payload });
  });

  it('stays warm between events', async () => {
    const { lambda } = await setup(`let n = 0; ${handler('return ++n;')}`);
    await lambda.invoke('probe', {});
    expect(await lambda.invoke('probe', {})).toMatchObject({ payload: 2 });
  });

  it('sees its own environment, and nothing of the laptop', async () => {
    process.env['LAPTOP_SECRET'] = 'x';
    const { lambda } = await setup(handler('return process.env;'), {
      environment: { STAGE: 'dev' },
    });
    const { payload } = await lambda.invoke('probe', {});
    expect(payload).toMatchObject({
      STAGE: 'dev',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'key-of-probe',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_LAMBDA_FUNCTION_NAME: 'probe',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/probe',
      TZ: 'UTC',
      _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};/),
    });
    expect(payload).not.toHaveProperty('LAPTOP_SECRET');
    expect(payload).not.toHaveProperty('HOME');
  });

  it('gets the context of its invocation', async () => {
    const source = handler('return { ...context, left: context.getRemainingTimeInMillis() };');
    const { lambda } = await setup(source);
    const { payload, requestId } = await lambda.invoke('probe', {});
    expect(payload).toMatchObject({
      awsRequestId: requestId,
      functionName: 'probe',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:probe',
      logGroupName: '/aws/lambda/probe',
      memoryLimitInMB: '128',
      left: expect.any(Number),
    });
  });

  it('logs line by line, under its name and request id', async () => {
    const source = handler(
      'console.log("a %d", 1); console.error("b"); process.stdout.write("c\\nd\\n");',
    );
    const { lambda, log } = await setup(source);
    const { requestId } = await lambda.invoke('probe', {});
    const from = { source: 'lambda', function: 'probe', requestId };
    expect(log.slice(0, 4)).toEqual([
      { level: 'info', message: 'a 1', ...from },
      { level: 'error', message: 'b', ...from },
      { level: 'info', message: 'c', ...from },
      { level: 'info', message: 'd', ...from },
    ]);
  });
});

describe('a failure', () => {
  it.each([
    { of: 'throw new TypeError("no");', errorType: 'TypeError', says: 'no' },
    { of: 'throw "text";', errorType: 'string', says: 'text' },
    {
      of: 'process.exit(3);',
      errorType: 'Runtime.ExitError',
      says: /Runtime exited with error: exit status 3$/,
    },
    {
      of: 'process.exit(0);',
      errorType: 'Runtime.ExitError',
      says: /exited without providing a reason$/,
    },
    {
      of: 'setImmediate(() => { throw new RangeError("late"); }); await new Promise(() => {});',
      errorType: 'RangeError',
      says: 'late',
    },
    {
      of: 'Promise.reject(new Error("stray")); await new Promise(() => {});',
      errorType: 'Runtime.UnhandledPromiseRejection',
      says: 'Error: stray',
    },
    {
      of: 'const a = {}; a.a = a; return a;',
      errorType: 'Error',
      says: 'Unable to stringify response body',
    },
    {
      of: 'return "x".repeat(6 * 1024 * 1024 + 101);',
      errorType: 'Function.ResponseSizeTooLarge',
      says: /^Response payload size \(6291559 bytes\) exceeded/,
    },
    {
      of: 'const hoard = []; for (;;) hoard.push(new Array(1e5).fill({}).map((o) => ({ o })));',
      errorType: 'Runtime.ExitError',
      says: /signal: killed$/,
    },
  ])('of $of is answered, and the next event is served', async ({ of, errorType, says }) => {
    const { lambda } = await setup(handler(`if (event.ok) return "fine"; ${of}`), {
      memoryMb: 128,
      timeoutSeconds: 20,
    });
    expect(await lambda.invoke('probe', {})).toMatchObject({
      ok: false,
      functionError: 'Unhandled',
      payload: {
        errorType,
        errorMessage: typeof says === 'string' ? says : expect.stringMatching(says),
      },
    });
    expect(await lambda.invoke('probe', { ok: true })).toMatchObject({ ok: true, payload: 'fine' });
  });

  it.each([
    { kind: 'waiting', body: 'await new Promise(() => setInterval(() => {}, 1000));' },
    { kind: 'spinning', body: 'for (;;) {}' },
  ])('by $kind too long ends the worker', async ({ body }) => {
    const source = handler(`if (event.ok) return "fine"; console.log("before"); ${body}`);
    const { lambda, lines } = await setup(source, { timeoutSeconds: 1 });
    const { requestId, ...result } = await lambda.invoke('probe', {});
    expect(result).toEqual({
      ok: false,
      functionError: 'Unhandled',
      payload: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(
          new RegExp(
            `^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z ${requestId} Task timed out after 1.00 seconds$`,
          ),
        ),
      },
    });
    expect(lines()).toEqual(['before']);
    expect(await lambda.invoke('probe', { ok: true })).toMatchObject({ payload: 'fine' });
  });

  it.each([
    {
      source: 'require("not-there"); exports.handler = 1',
      name: undefined,
      errorType: 'Runtime.ImportModuleError',
    },
    {
      source: 'exports.handler = async () => {',
      name: undefined,
      errorType: 'Runtime.UserCodeSyntaxError',
    },
    {
      source: 'exports.other = async () => {}',
      name: undefined,
      errorType: 'Runtime.HandlerNotFound',
    },
    { source: 'exports.handler = 1', name: undefined, errorType: 'Runtime.HandlerNotFound' },
    {
      source: 'exports.handler = (event, context, callback) => callback(null, 1)',
      name: undefined,
      errorType: 'Runtime.CallbackHandlerDeprecated',
    },
    {
      source: '',
      name: 'functions/elsewhere/handler.handler',
      errorType: 'Runtime.ImportModuleError',
    },
    { source: '', name: '../outside.handler', errorType: 'Runtime.MalformedHandlerName' },
    { source: '', name: 'functions/probe/handler', errorType: 'Runtime.MalformedHandlerName' },
    { source: 'throw new Error("at load")', name: undefined, errorType: 'Error' },
  ])('to load $source $name is $errorType', async ({ source, name, errorType }) => {
    const { lambda } = await setup(source, name === undefined ? {} : { handler: name });
    expect(await lambda.invoke('probe', {})).toMatchObject({ ok: false, payload: { errorType } });
  });

  it('between two events costs nothing but the worker', async () => {
    const source = `let n = 0; ${handler('setTimeout(() => process.exit(1), 20); return ++n;')}`;
    const { lambda } = await setup(source);
    await lambda.invoke('probe', {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await lambda.invoke('probe', {})).toMatchObject({ ok: true, payload: 1 });
  });
});

describe('concurrency', () => {
  const slow = handler('await new Promise((resolve) => setTimeout(resolve, 300)); return 1;');

  it('is one event a worker', async () => {
    const { lambda } = await setup(
      `const own = Math.random(); ${handler('await new Promise((r) => setTimeout(r, 200)); return own;')}`,
    );
    const results = await Promise.all([lambda.invoke('probe', {}), lambda.invoke('probe', {})]);
    expect(new Set(results.map(({ payload }) => payload)).size).toBe(2);
  });

  it('beyond what is reserved is throttled', async () => {
    const { lambda } = await setup(slow, { reservedConcurrency: 1 });
    const first = lambda.invoke('probe', {});
    await expect(lambda.invoke('probe', {})).rejects.toMatchObject({
      code: 'TooManyRequestsException',
      statusCode: 429,
    });
    expect(await first).toMatchObject({ ok: true });
  });
});

describe('an invocation is refused', () => {
  it.each([
    { name: 'nobody', event: {}, code: 'ResourceNotFoundException' },
    { name: 'probe', event: 'x'.repeat(6 * 1024 * 1024), code: 'RequestTooLargeException' },
    { name: 'probe', event: 1n, code: 'InvalidRequestContentException' },
  ])('with $code', async ({ name, event, code }) => {
    const { lambda } = await setup(handler('return 1;'));
    await expect(lambda.invoke(name, event)).rejects.toMatchObject({ code });
  });

  it.each([
    'probe',
    'function:probe',
    '000000000000:function:probe',
    'arn:aws:lambda:eu-central-1:000000000000:function:probe',
    'arn:aws:lambda:eu-central-1:000000000000:function:probe:$LATEST',
  ])('not under the name %s', async (name) => {
    const { lambda } = await setup(handler('return 1;'));
    expect(lambda.find(name)).toMatchObject({ name: 'probe' });
  });
});

describe('a package', () => {
  const zipped = async (files: Record<string, string>): Promise<string> => {
    const zip = join(await temporaryDirectory(), 'probe.zip');
    const entries = Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]);
    await writeFile(zip, zipSync(Object.fromEntries(entries)));
    return zip;
  };

  it('is unpacked and run, whatever the project around it calls its modules', async () => {
    const zip = await zipped({ 'functions/probe/handler.js': handler('return "packed";') });
    const around = await temporaryDirectory();
    await writeFile(join(around, 'package.json'), '{"type":"module"}');
    const codeDirectory = join(around, 'packages', 'probe');
    expect(await extractPackage(zip, codeDirectory)).toEqual(['functions/probe/handler.js']);
    const { lambda } = await setup('', { codeDirectory });
    expect(await lambda.invoke('probe', {})).toMatchObject({ payload: 'packed' });
  });

  it('leaves nothing of the one before it', async () => {
    const directory = join(await temporaryDirectory(), 'probe');
    await extractPackage(await zipped({ 'a.js': '1' }), directory);
    await extractPackage(await zipped({ 'b.js': '1' }), directory);
    const { lambda } = await setup('', { codeDirectory: directory, handler: 'a.handler' });
    expect(await lambda.invoke('probe', {})).toMatchObject({
      payload: { errorType: 'Runtime.ImportModuleError' },
    });
  });

  it.each(['../evil.js', '/etc/evil.js', 'a/../../evil.js', '..\\evil.js'])(
    'with the entry %s is refused',
    async (name) => {
      const zip = await zipped({ [name]: 'x' });
      await expect(extractPackage(zip, await temporaryDirectory())).rejects.toThrow(
        'leads out of the package',
      );
    },
  );

  it('that is no zip is refused by its name', async () => {
    const zip = join(await temporaryDirectory(), 'broken.zip');
    await writeFile(zip, 'no zip');
    await expect(extractPackage(zip, await temporaryDirectory())).rejects.toThrow(
      'broken.zip: is not a zip archive',
    );
  });
});
