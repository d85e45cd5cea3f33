import { expect, it } from '@jest/globals';
import type { Authorizer, Presented } from '../../../../local/core/authorizer/index.ts';
import { AwsError } from '../../../../local/operations/operation.ts';
import { createAuthorizers } from '../../../../local/runtime/authorizer/authorizers.ts';
import type { InvokeResult } from '../../../../local/runtime/lambda.ts';
import { answer, authorizer, FUNCTION_ARN, KEY } from '../../core/authorizer/token-world.ts';

const PERMISSION = {
  FunctionName: FUNCTION_ARN,
  Action: 'lambda:InvokeFunction',
  Principal: 'iot.amazonaws.com',
  SourceArn: authorizer().arn,
};

const ok = (payload: unknown): InvokeResult => ({ ok: true, payload, requestId: 'r-1' });

interface Options {
  readonly declared?: Authorizer;
  readonly permissions?: readonly unknown[];
  readonly invoke?: () => Promise<InvokeResult>;
  readonly sleep?: (ms: number) => Promise<void>;
}

function setup({ declared = authorizer(), permissions = [PERMISSION], ...options }: Options = {}) {
  const events: unknown[] = [];
  const authorizers = createAuthorizers({
    find: (name) => (name === declared.name ? declared : undefined),
    invoke: (_, event) => {
      events.push(event);
      return options.invoke?.() ?? Promise.resolve(ok(answer()));
    },
    permissions,
    accountId: '000000000000',
    sleep: options.sleep ?? (() => new Promise(() => undefined)),
  });
  const presented: Presented = {
    transport: 'https',
    http: {
      headers: { token: 't', 'x-amz-customauthorizer-signature': KEY.sign('t') },
      queryString: '',
    },
  };
  const ask = (more: Presented = presented) =>
    authorizers.ask(
      authorizers.choose(more, { allowOverride: false, defaultName: 'signed' }),
      more,
      'c-1',
    );
  return { ask, events };
}

it('lets in whom the function lets in', async () => {
  const { ask, events } = setup();
  expect(await ask()).toMatchObject({ principalId: 'probe1', refreshAfterSeconds: 300 });
  expect(events).toMatchObject([{ token: 't', signatureVerified: true }]);
});

it('does not run the function for a token whose signature is wrong', async () => {
  const { ask, events } = setup();
  const headers = { token: 'other', 'x-amz-customauthorizer-signature': KEY.sign('t') };
  await expect(
    ask({ transport: 'https', http: { headers, queryString: '' } }),
  ).rejects.toMatchObject({
    reason: 'TOKEN_SIGNATURE',
  });
  expect(events).toEqual([]);
});

it.each<[string, Options, string, RegExp]>([
  ['that nobody knows', { declared: authorizer({ name: 'x' }) }, 'UNKNOWN_AUTHORIZER', /signed/],
  [
    'that is inactive',
    { declared: authorizer({ status: 'INACTIVE' }) },
    'AUTHORIZER_INACTIVE',
    /set it ACTIVE/,
  ],
  ['without a permission', { permissions: [] }, 'NOT_PERMITTED', /Permission/],
  [
    'with a permission for another authorizer',
    { permissions: [{ ...PERMISSION, SourceArn: `${PERMISSION.SourceArn}-2` }] },
    'NOT_PERMITTED',
    /Permission/,
  ],
  [
    'with a permission for another service',
    { permissions: [{ ...PERMISSION, Principal: 'events.amazonaws.com' }] },
    'NOT_PERMITTED',
    /iot.amazonaws.com/,
  ],
  [
    'whose function takes too long',
    { invoke: () => new Promise(() => undefined), sleep: async (ms) => expect(ms).toBe(5000) },
    'TIMEOUT',
    /5 s/,
  ],
  [
    'whose function fails',
    {
      invoke: async () => ({
        ok: false,
        functionError: 'Unhandled',
        payload: { errorType: 'TypeError', errorMessage: 'token t is odd' },
        requestId: 'r-1',
      }),
    },
    'FUNCTION_ERROR',
    /TypeError$/,
  ],
  [
    'whose function is throttled',
    {
      invoke: () => Promise.reject(new AwsError('TooManyRequestsException', 'Rate Exceeded', 429)),
    },
    'FUNCTION_ERROR',
    /TooManyRequestsException/,
  ],
  ['that answers nonsense', { invoke: async () => ok('yes') }, 'INVALID_RESPONSE', /object/],
  [
    'that says no',
    { invoke: async () => ok({ isAuthenticated: false }) },
    'NOT_AUTHENTICATED',
    /not authenticated/,
  ],
])('refuses with an authorizer %s', async (_, options, reason, told) => {
  await expect(async () => setup(options).ask()).rejects.toMatchObject({
    reason,
    message: expect.stringMatching(told),
  });
});

it('repeats to the operator what the function logged when it said no', async () => {
  const lastLine = '{"code":"EXPIRED"}';
  const invoke = async (): Promise<InvokeResult> => ({
    ...{ ok: true, payload: { isAuthenticated: false }, requestId: 'r-1' },
    lastLine,
  });
  await expect(setup({ invoke }).ask()).rejects.toMatchObject({
    reason: 'NOT_AUTHENTICATED',
    message: expect.stringMatching(/not authenticated; its log says: \{"code":"EXPIRED"\}$/),
  });
});
