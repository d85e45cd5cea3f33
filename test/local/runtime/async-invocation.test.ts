import { describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../../../local/core/log.ts';
import { AwsError } from '../../../local/operations/operation.ts';
import {
  type AsyncDeps,
  createAsyncInvoker,
  type Delivery,
} from '../../../local/runtime/async-invocation.ts';
import type { FunctionSpec, InvokeResult } from '../../../local/runtime/lambda.ts';
import type { AsyncSettings } from '../../../local/runtime/lambda-async-settings.ts';
import { declaredAsyncSettings } from '../../../local/runtime/lambda-async-settings.ts';
import { virtualClock } from './virtual-clock.ts';

const FUNCTION = 'arn:aws:lambda:eu-central-1:000000000000:function:work';
const QUEUE = 'arn:aws:sqs:eu-central-1:000000000000:failures';
const TOPIC = 'arn:aws:sns:eu-central-1:000000000000:done';

interface Setup {
  readonly settings?: Partial<AsyncSettings>;
  readonly spec?: Partial<FunctionSpec>;
  readonly deps?: Partial<AsyncDeps>;
}

/** A queue in front of one function that answers, fails (`fail`) or is throttled, try by try. */
function setup(
  behaviour: readonly ('ok' | 'fail' | 'throttle')[],
  { settings, spec, deps }: Setup = {},
) {
  const clock = virtualClock();
  const startMs = clock.now();
  const tries: { atSeconds: number; requestId: string | undefined }[] = [];
  const sent: { arn: string; delivery: Delivery }[] = [];
  const log: LogEntry[] = [];
  let ids = 0;
  const invoke = async (
    _name: string,
    event: unknown,
    { requestId = '' } = {},
  ): Promise<InvokeResult> => {
    const what = behaviour[tries.length] ?? 'ok';
    tries.push({ atSeconds: (clock.now() - startMs) / 1000, requestId });
    if (what === 'throttle') throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
    if (what === 'ok') return { ok: true, payload: { got: event }, requestId };
    const payload = { errorType: 'Error', errorMessage: 'no' };
    return { ok: false, functionError: 'Unhandled', payload, requestId };
  };
  const invoker = createAsyncInvoker({
    find: (name) => ({
      name: name.replace(/^.*:/, ''),
      arn: FUNCTION,
      roleArn: 'arn:aws:iam::000000000000:role/work',
      handler: 'a.b',
      codeDirectory: '',
      timeoutSeconds: 3,
      memoryMb: 128,
      environment: {},
      ...spec,
    }),
    invoke,
    settingsOf: (name) =>
      name === 'work'
        ? { maximumRetryAttempts: 2, maximumEventAgeSeconds: 21_600, ...settings }
        : { maximumRetryAttempts: 0, maximumEventAgeSeconds: 60 },
    deliver: async (arn, delivery) => void sent.push({ arn, delivery }),
    authorize: () => ({ allowed: true, explanation: '' }),
    clock,
    random: () => 1,
    uuid: () => `request-${++ids}`,
    log: (entry) => log.push(entry),
    ...deps,
  });
  const times = () => tries.map(({ atSeconds }) => atSeconds);
  const records = () => sent.map(({ delivery }) => JSON.parse(delivery.body));
  return { clock, invoker, tries, times, sent, records, log };
}

describe('an asynchronous event', () => {
  it.each([
    { name: 'that succeeds is run once', behaviour: ['ok'], retries: 2, times: [0] },
    {
      name: 'that fails comes again after one and two minutes',
      behaviour: ['fail', 'fail', 'fail'],
      retries: 2,
      times: [0, 60, 180],
    },
    { name: 'that fails once is run twice', behaviour: ['fail', 'ok'], retries: 2, times: [0, 60] },
    {
      name: 'with one retry is run twice',
      behaviour: ['fail', 'fail'],
      retries: 1,
      times: [0, 60],
    },
    { name: 'without retries is run once', behaviour: ['fail'], retries: 0, times: [0] },
    {
      name: 'that is throttled comes again, and uses no retry',
      behaviour: ['throttle', 'throttle', 'fail', 'ok'],
      retries: 1,
      times: [0, 1, 3, 63],
    },
  ] as const)('$name', async ({ behaviour, retries, times }) => {
    const world = setup(behaviour, { settings: { maximumRetryAttempts: retries } });
    world.invoker.submit('work', {});
    await world.clock.run(world.invoker.idle());
    expect(world.times()).toEqual(times);
    expect(new Set(world.tries.map(({ requestId }) => requestId))).toEqual(new Set(['request-1']));
  });

  it('that fails for good is sent to its destination, as documented', async () => {
    const world = setup(['fail', 'fail', 'fail'], {
      settings: { onFailureArn: QUEUE, onSuccessArn: TOPIC },
    });
    world.invoker.submit('work', { n: 1 });
    await world.clock.run(world.invoker.idle());
    expect(world.sent.map(({ arn }) => arn)).toEqual([QUEUE]);
    expect(world.records()).toEqual([
      {
        version: '1.0',
        timestamp: '2026-01-01T00:03:00.000Z',
        requestContext: {
          requestId: 'request-1',
          functionArn: `${FUNCTION}:$LATEST`,
          condition: 'RetriesExhausted',
          approximateInvokeCount: 3,
        },
        requestPayload: { n: 1 },
        responseContext: {
          statusCode: 200,
          executedVersion: '$LATEST',
          functionError: 'Unhandled',
        },
        responsePayload: { errorType: 'Error', errorMessage: 'no' },
      },
    ]);
  });

  it('that succeeds is sent to its other destination', async () => {
    const world = setup(['ok'], { settings: { onFailureArn: QUEUE, onSuccessArn: TOPIC } });
    world.invoker.submit('work', 1);
    await world.clock.run(world.invoker.idle());
    expect(world.sent.map(({ arn }) => arn)).toEqual([TOPIC]);
    expect(world.records()).toMatchObject([
      {
        requestContext: { condition: 'Success', approximateInvokeCount: 1 },
        responseContext: { statusCode: 200, executedVersion: '$LATEST' },
        responsePayload: { got: 1 },
      },
    ]);
  });

  it('that is too old is given up', async () => {
    const world = setup(
      Array.from({ length: 99 }, () => 'throttle'),
      {
        settings: { maximumEventAgeSeconds: 60, onFailureArn: QUEUE },
      },
    );
    world.invoker.submit('work', {});
    await world.clock.run(world.invoker.idle());
    expect(world.times()).toEqual([0, 1, 3, 7, 15, 31]);
    const [record] = world.records();
    expect(record).toMatchObject({
      requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 0 },
    });
    expect(record).not.toHaveProperty('responsePayload');
  });

  it('of a function without concurrency goes straight to its destinations', async () => {
    const world = setup([], {
      spec: { reservedConcurrency: 0 },
      settings: { onFailureArn: QUEUE, deadLetterArn: TOPIC },
    });
    world.invoker.submit('work', { n: 1 });
    await world.clock.run(world.invoker.idle());
    expect({ tries: world.tries, to: world.sent.map(({ arn }) => arn) }).toEqual({
      tries: [],
      to: [QUEUE, TOPIC],
    });
  });

  it('reaches a dead-letter queue bare, with attributes', async () => {
    const world = setup(['fail'], { settings: { maximumRetryAttempts: 0, deadLetterArn: QUEUE } });
    world.invoker.submit('work', { n: 1 });
    await world.clock.run(world.invoker.idle());
    expect(world.sent).toEqual([
      {
        arn: QUEUE,
        delivery: {
          body: '{"n":1}',
          attributes: { RequestID: 'request-1', ErrorCode: '200', ErrorMessage: 'no' },
        },
      },
    ]);
  });

  it('may have a function as its destination', async () => {
    const other = 'arn:aws:lambda:eu-central-1:000000000000:function:other';
    const world = setup(['fail', 'ok'], {
      settings: { maximumRetryAttempts: 0, onFailureArn: other },
    });
    world.invoker.submit('work', {});
    await world.clock.run(world.invoker.idle());
    expect(world.tries.map(({ requestId }) => requestId)).toEqual(['request-1', 'request-2']);
  });

  it('is not sent where the role may not send, and that is said', async () => {
    const world = setup(['fail'], {
      settings: { maximumRetryAttempts: 0, onFailureArn: QUEUE },
      deps: {
        authorize: (caller, need) => {
          expect(caller).toMatchObject({ kind: 'function', functionName: 'work' });
          expect(need).toEqual({ action: 'sqs:SendMessage', resource: QUEUE });
          return { allowed: false, explanation: 'no statement allows sqs:SendMessage' };
        },
      },
    });
    world.invoker.submit('work', {});
    await world.clock.run(world.invoker.idle());
    expect(world.sent).toEqual([]);
    expect(world.log.at(-1)?.message).toContain('no statement allows sqs:SendMessage');
  });

  it('of more than 1 MB is refused', () => {
    const world = setup([]);
    expect(() => world.invoker.submit('work', 'x'.repeat(1024 * 1024))).toThrow(
      'has at most 1048576 bytes',
    );
  });

  it('that waits when the laptop stops is lost, and said', async () => {
    const world = setup(['fail']);
    world.invoker.submit('work', {});
    await world.clock.settle();
    await world.invoker.close();
    expect(world.log.at(-1)).toMatchObject({
      level: 'warn',
      message: expect.stringContaining('1 asynchronous event'),
    });
  });
});

describe('declared settings', () => {
  const resource = (properties: object) => ({
    logicalId: 'Config',
    type: 'AWS::Lambda::EventInvokeConfig',
    name: 'x',
    physicalId: 'work|$LATEST',
    attributes: {},
    properties: { FunctionName: FUNCTION, Qualifier: '$LATEST', ...properties },
  });

  it('are read from their resource', () => {
    const properties = {
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: QUEUE } },
    };
    expect(declaredAsyncSettings(resource(properties))).toEqual({
      functionName: 'work',
      settings: { maximumRetryAttempts: 0, maximumEventAgeSeconds: 21_600, onFailureArn: QUEUE },
    });
  });

  it.each([
    { properties: { MaximumRetryAttempts: 3 }, says: 'MaximumRetryAttempts' },
    { properties: { Qualifier: 'live' }, says: 'only $LATEST is run' },
    {
      properties: { DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::bucket' } } },
      says: 'a destination on the laptop is',
    },
  ])('of $properties are refused', ({ properties, says }) => {
    expect(() => declaredAsyncSettings(resource(properties))).toThrow(says);
  });
});
