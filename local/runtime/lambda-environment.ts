import type { FunctionSpec } from './lambda-function.ts';

/** Keys under which a function signs its calls, so that the endpoint knows whose role to ask. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const logGroupOf = (functionName: string): string => `/aws/lambda/${functionName}`;

/** `arn:aws:lambda:<region>:<account>:function:<name>` */
export const regionOf = (functionArn: string): string => functionArn.split(':')[3] ?? '';

interface Surroundings {
  /** URL of the local AWS endpoint. */
  readonly endpoint: string;
  readonly credentials: Credentials;
  readonly logStream: string;
}

/**
 * The whole environment of a function: its own variables and those Lambda documents, nothing of the
 * laptop's. The endpoint is how a call of the SDK stays on the laptop.
 *
 * @see Lambda Developer Guide, "Defined runtime environment variables"
 */
export function environmentOf(
  spec: FunctionSpec,
  { endpoint, credentials, logStream }: Surroundings,
): Record<string, string> {
  const region = regionOf(spec.arn);
  return {
    LANG: 'en_US.UTF-8',
    PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    TZ: 'UTC',
    ...spec.environment,
    _HANDLER: spec.handler,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: endpoint,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupOf(spec.name),
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_REGION: region,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    LAMBDA_TASK_ROOT: spec.codeDirectory,
  };
}
