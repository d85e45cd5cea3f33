import * as z from 'zod';
import { AuthorizerRefusal, type Presented } from '../../core/authorizer/index.ts';
import { found } from '../../core/registry/index.ts';
import { AwsError, type Operation } from '../operation.ts';
import type { AuthorizerDeps } from './authorizer-call.ts';
import { iotOperation, members } from './iot-call.ts';

const Input = members({
  authorizerName: z.string(),
  token: z.string().min(1).max(6144).optional(),
  tokenSignature: z
    .string()
    .max(2560)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/)
    .optional(),
  httpContext: members({
    headers: z.record(z.string(), z.string()).optional(),
    queryString: z.string().min(1).max(4096).optional(),
  }).optional(),
  mqttContext: members({
    username: z.string().min(1).max(65_535).optional(),
    password: z.base64().max(90_000).optional(),
    clientId: z.string().min(1).max(65_535).optional(),
  }).optional(),
  tlsContext: members({ serverName: z.string().min(1).max(253).optional() }).optional(),
});
type Input = z.infer<typeof Input>;

/** Asks an authorizer as the gateway would; endpoint, ALPN and TLS have no part in it. */
export const testInvokeAuthorizer = ({ authorizers, ask }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'TestInvokeAuthorizer',
    http: 'POST /authorizer/{authorizerName}/test',
    input: Input,
    on: ({ authorizerName }) => authorizers.arn(authorizerName),
    run: async (input) => {
      const { authorizerName } = input;
      const authorizer = found(authorizers.find(authorizerName), 'authorizer', authorizerName);
      try {
        const grant = await ask(authorizer, presentedBy(input));
        return {
          isAuthenticated: true,
          principalId: grant.principalId,
          policyDocuments: grant.documents.map((document) => JSON.stringify(document)),
          refreshAfterInSeconds: grant.refreshAfterSeconds,
          disconnectAfterInSeconds: grant.disconnectAfterSeconds,
        };
      } catch (error) {
        if (!(error instanceof AuthorizerRefusal)) throw error;
        return answerTo(error);
      }
    },
  });

function answerTo({ reason, message }: AuthorizerRefusal): object {
  if (reason === 'NOT_AUTHENTICATED') return { isAuthenticated: false };
  const isAnswer =
    reason === 'INVALID_RESPONSE' || reason === 'FUNCTION_ERROR' || reason === 'TIMEOUT';
  throw new AwsError(isAnswer ? 'InvalidResponseException' : 'InvalidRequestException', message);
}

function presentedBy({
  token,
  tokenSignature,
  httpContext,
  mqttContext,
  tlsContext,
}: Input): Presented {
  const { username, password, clientId } = mqttContext ?? {};
  const { serverName } = tlsContext ?? {};
  const queryString = httpContext?.queryString ?? '';
  return {
    transport: mqttContext === undefined ? 'https' : httpContext === undefined ? 'mqtt' : 'wss',
    separate: {
      ...(token !== undefined && { token }),
      ...(tokenSignature !== undefined && { signature: tokenSignature }),
    },
    ...(serverName !== undefined && { serverName }),
    ...(httpContext !== undefined && {
      http: {
        headers: httpContext.headers ?? {},
        queryString:
          queryString === '' || queryString.startsWith('?') ? queryString : `?${queryString}`,
      },
    }),
    ...(mqttContext !== undefined && {
      mqtt: {
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password: Buffer.from(password, 'base64') }),
        ...(clientId !== undefined && { clientId }),
      },
    }),
  };
}
