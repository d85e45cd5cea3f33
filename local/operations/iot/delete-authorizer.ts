import * as z from 'zod';
import type { Operation } from '../operation.ts';
import type { AuthorizerDeps } from './authorizer-call.ts';
import { iotOperation, members } from './iot-call.ts';

export const deleteAuthorizer = ({ authorizers }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'DeleteAuthorizer',
    http: 'DELETE /authorizer/{authorizerName}',
    input: members({ authorizerName: z.string() }),
    on: ({ authorizerName }) => authorizers.arn(authorizerName),
    run: ({ authorizerName }) => authorizers.remove(authorizerName),
  });
