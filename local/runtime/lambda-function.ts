import * as z from 'zod';
import type { ResolvedResource } from '../core/template/index.ts';

/** A function as it is to be run: what the template says of it, and where its package was unpacked. */
export interface FunctionSpec {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  /** `folder/file.export`, the file without its extension. */
  readonly handler: string;
  readonly codeDirectory: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
}

/** Names that Lambda sets itself and does not let a function set. */
const RESERVED = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
]);

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const Variables = z.record(z.string(), text).superRefine((variables, context) => {
  for (const name of Object.keys(variables)) {
    if (RESERVED.has(name)) {
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'is a name Lambda keeps for itself',
      });
    }
    if (name.startsWith('AWS_ENDPOINT_URL')) {
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'would lead the function out of the laptop',
      });
    }
  }
});

/** Each key is either honoured or, where it changes nothing that can be seen on a laptop, listed as such. */
const Properties = z.strictObject({
  FunctionName: z.string().optional(),
  Role: z.string(),
  Handler: z.string(),
  Runtime: z.literal('nodejs24.x', 'only nodejs24.x is run'),
  PackageType: z.literal('Zip', 'only Zip packages are run').optional(),
  Code: z.looseObject({ S3Key: z.string() }),
  Timeout: z.int().min(1).max(900).default(3),
  MemorySize: z.int().min(128).max(10_240).default(128),
  Environment: z.strictObject({ Variables: Variables.default({}) }).default({ Variables: {} }),
  ReservedConcurrentExecutions: z.int().min(0).optional(),
  DeadLetterConfig: z.strictObject({ TargetArn: z.string() }).optional(),
  // no effect on a laptop
  Architectures: z.unknown().optional(),
  Description: z.unknown().optional(),
  EphemeralStorage: z.unknown().optional(),
  KmsKeyArn: z.unknown().optional(),
  LoggingConfig: z.unknown().optional(),
  Tags: z.unknown().optional(),
  TracingConfig: z.unknown().optional(),
});

export interface DeclaredFunction {
  readonly spec: FunctionSpec;
  /** File name of the package among those `sls package` wrote, from `Code.S3Key`. */
  readonly artifact: string;
  readonly deadLetterArn?: string;
}

/**
 * Reads an `AWS::Lambda::Function`.
 *
 * @param codeDirectoryOf  where the artifact of that file name is, or will be, unpacked
 * @throws {Error} naming the resource and each property that is wrong or not supported (layers, VPC, images …)
 */
export function declaredFunction(
  resource: ResolvedResource,
  codeDirectoryOf: (artifact: string) => string,
): DeclaredFunction {
  const parsed = Properties.safeParse(resource.properties);
  if (!parsed.success) {
    const findings = parsed.error.issues.map(finding).join('; ');
    throw new Error(`Resources.${resource.logicalId}: ${findings}`);
  }
  const { Role, Handler, Timeout, MemorySize, Environment, Code } = parsed.data;
  const { ReservedConcurrentExecutions: reserved, DeadLetterConfig } = parsed.data;
  const artifact = Code.S3Key.slice(Code.S3Key.lastIndexOf('/') + 1);
  const spec: FunctionSpec = {
    name: resource.name,
    arn: resource.arn ?? '',
    roleArn: Role,
    handler: Handler,
    codeDirectory: codeDirectoryOf(artifact),
    timeoutSeconds: Timeout,
    memoryMb: MemorySize,
    environment: Environment.Variables,
    ...(reserved !== undefined && { reservedConcurrency: reserved }),
  };
  return { spec, artifact, ...(DeadLetterConfig && { deadLetterArn: DeadLetterConfig.TargetArn }) };
}

const finding = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys'
    ? `${issue.keys.join(', ')}: not supported`
    : `${issue.path.join('.')}: ${issue.message}`;
