import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type AuthorizerDeps, authorizerEntry } from './authorizer-call.ts';
import { authorizerMembers } from './authorizer-input.ts';
import { iotOperation, members } from './iot-call.ts';

export const updateAuthorizer = ({ authorizers }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'UpdateAuthorizer',
    http: 'PUT /authorizer/{authorizerName}',
    input: members({
      authorizerName: z.string(),
      authorizerFunctionArn: z.string().optional(),
      ...authorizerMembers,
    }),
    on: ({ authorizerName }) => authorizers.arn(authorizerName),
    run: ({ authorizerName, authorizerFunctionArn, tokenSigningPublicKeys, ...rest }) =>
      authorizerEntry(
        authorizers.update(authorizerName, {
          functionArn: authorizerFunctionArn,
          signingKeys: tokenSigningPublicKeys,
          ...rest,
        }),
      ),
  });
