import * as z from 'zod';
import { found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { type AuthorizerDeps, authorizerDescription } from './authorizer-call.ts';
import { iotOperation, members } from './iot-call.ts';

export const describeAuthorizer = ({ authorizers }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'DescribeAuthorizer',
    http: 'GET /authorizer/{authorizerName}',
    input: members({ authorizerName: z.string() }),
    on: ({ authorizerName }) => authorizers.arn(authorizerName),
    run: ({ authorizerName }) => {
      const authorizer = found(authorizers.find(authorizerName), 'authorizer', authorizerName);
      return { authorizerDescription: authorizerDescription(authorizer) };
    },
  });
