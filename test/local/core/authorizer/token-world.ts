import { generateKeyPairSync, sign } from 'node:crypto';
import type { Authorizer } from '../../../../local/core/authorizer/index.ts';

const ARN = 'arn:aws:iot:eu-central-1:000000000000:authorizer';
export const FUNCTION_ARN = 'arn:aws:lambda:eu-central-1:000000000000:function:authorize';

const makeKey = () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (token: string): string =>
      sign('RSA-SHA256', Buffer.from(token), privateKey).toString('base64'),
  };
};

/** Keys are dear and say nothing of a test's state. */
export const KEY = makeKey();
export const NEXT_KEY = makeKey();

export const authorizer = (more: Partial<Authorizer> = {}): Authorizer => ({
  name: 'signed',
  arn: `${ARN}/${more.name ?? 'signed'}`,
  functionArn: FUNCTION_ARN,
  tokenKeyName: 'token',
  signingKeys: { first: KEY.publicPem },
  signingDisabled: false,
  status: 'ACTIVE',
  enableCachingForHttp: false,
  createdMs: 0,
  changedMs: 0,
  ...more,
});

export const policyDocument = (resource = '*') => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: resource }],
});

export const answer = (more: object = {}) => ({
  isAuthenticated: true,
  principalId: 'probe1',
  policyDocuments: [policyDocument()],
  refreshAfterInSeconds: 300,
  disconnectAfterInSeconds: 3600,
  ...more,
});
