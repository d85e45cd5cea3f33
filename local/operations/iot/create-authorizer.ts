import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { type AuthorizerDeps, authorizerEntry } from './authorizer-call.ts';
import { authorizerMembers } from './authorizer-input.ts';
import { iotOperation, members } from './iot-call.ts';

export const createAuthorizer = ({ authorizers }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'CreateAuthorizer',
    http: 'POST /authorizer/{authorizerName}',
    input: members({
      authorizerName: z.string(),
      authorizerFunctionArn: z.string(),
      signingDisabled: z.boolean().optional(),
      ...authorizerMembers,
    }),
    on: ({ authorizerName }) => authorizers.arn(authorizerName),
    run: ({ authorizerName, authorizerFunctionArn, tokenSigningPublicKeys, ...rest }) =>
      authorizerEntry(
        authorizers.create({
          name: authorizerName,
          functionArn: authorizerFunctionArn,
          signingKeys: tokenSigningPublicKeys,
          ...rest,
        }),
      ),
  });
