import * as z from 'zod';
import { found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { type AuthorizerDeps, authorizerDescription, authorizerEntry } from './authorizer-call.ts';
import { iotOperation, members } from './iot-call.ts';

/** The authorizer of clients that name none, at the account's own endpoint. */
export const setDefaultAuthorizer = ({ authorizers }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'SetDefaultAuthorizer',
    http: 'POST /default-authorizer',
    input: members({ authorizerName: z.string() }),
    on: ({ authorizerName }) => authorizers.arn(authorizerName),
    run: ({ authorizerName }) => authorizerEntry(authorizers.setDefault(authorizerName)),
  });

export const clearDefaultAuthorizer = ({ authorizers }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'ClearDefaultAuthorizer',
    http: 'DELETE /default-authorizer',
    input: members({}),
    on: () => '*',
    run: () => authorizers.clearDefault(),
  });

export const describeDefaultAuthorizer = ({ authorizers }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'DescribeDefaultAuthorizer',
    http: 'GET /default-authorizer',
    input: members({}),
    on: () => '*',
    run: () => {
      const name = authorizers.defaultName();
      const authorizer = name === undefined ? undefined : authorizers.find(name);
      const known = found(authorizer, 'default authorizer', name ?? '');
      return { authorizerDescription: authorizerDescription(known) };
    },
  });
