import * as z from 'zod';
import type { ResolvedResource } from '../../core/template/index.ts';
import { destinationNeed, resourceOf, serviceOf } from '../lambda-authorize.ts';
import type { FunctionSpec } from '../lambda-function.ts';

interface MappingSpec {
  /** UUID of the mapping: what its checkpoints are kept under. */
  readonly id: string;
  readonly enabled: boolean;
  readonly functionName: string;
  readonly functionArn: string;
  /** Whose grants the mapping reads with. */
  readonly roleArn: string;
  readonly sourceArn: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly reportsItemFailures: boolean;
  /** JSON texts of event patterns. */
  readonly filters: readonly string[];
}

export interface StreamMappingSpec extends MappingSpec {
  readonly kind: 'stream';
  readonly streamName: string;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST' | { readonly timestampMs: number };
  readonly parallelizationFactor: number;
  readonly bisectsOnError: boolean;
  /** -1: until the record expires. */
  readonly maximumRetryAttempts: number;
  /** -1: until the record expires. */
  readonly maximumRecordAgeSeconds: number;
  readonly onFailureArn?: string;
}

export interface QueueMappingSpec extends MappingSpec {
  readonly kind: 'queue';
  readonly queueName: string;
  /** Concurrent invocations, 2 to 1000; as many as pollers where absent. */
  readonly maximumConcurrency?: number;
  readonly functionTimeoutSeconds: number;
}

const Common = {
  FunctionName: z.string(),
  EventSourceArn: z.string(),
  Enabled: z.boolean().default(true),
  MaximumBatchingWindowInSeconds: z.int().min(0).max(300).default(0),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).max(1).default([]),
  FilterCriteria: z
    .strictObject({
      Filters: z
        .array(z.strictObject({ Pattern: z.string().max(4096) }))
        .max(10)
        .default([]),
    })
    .default({ Filters: [] }),
  Tags: z.unknown().optional(),
};

const ageSeconds = z.union([z.literal(-1), z.int().min(60).max(604_800)]);

const StreamProperties = z
  .strictObject({
    ...Common,
    BatchSize: z.int().min(1).max(10_000).default(100),
    StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP']),
    StartingPositionTimestamp: z.number().nonnegative().optional(),
    ParallelizationFactor: z.int().min(1).max(10).default(1),
    BisectBatchOnFunctionError: z.boolean().default(false),
    MaximumRetryAttempts: z.int().min(-1).max(10_000).default(-1),
    MaximumRecordAgeInSeconds: ageSeconds.default(-1),
    TumblingWindowInSeconds: z.literal(0, 'tumbling windows are not supported').optional(),
    DestinationConfig: z
      .strictObject({ OnFailure: z.strictObject({ Destination: z.string() }).optional() })
      .optional(),
  })
  .refine(
    ({ StartingPosition: position, StartingPositionTimestamp: at }) =>
      (position === 'AT_TIMESTAMP') === (at !== undefined),
    { path: ['StartingPositionTimestamp'], message: 'goes with AT_TIMESTAMP, and only with it' },
  );

const QueueProperties = z
  .strictObject({
    ...Common,
    BatchSize: z.int().min(1).max(10_000).default(10),
    ScalingConfig: z
      .strictObject({ MaximumConcurrency: z.int().min(2).max(1000).optional() })
      .default({}),
  })
  .refine(
    ({ BatchSize, MaximumBatchingWindowInSeconds: window }) => BatchSize <= 10 || window >= 1,
    {
      path: ['BatchSize'],
      message: 'above 10 takes a MaximumBatchingWindowInSeconds of 1 or more',
    },
  );

/**
 * Reads an `AWS::Lambda::EventSourceMapping` of a Kinesis stream or a standard SQS queue.
 *
 * @param find  the function of a name or ARN
 * @throws {Error} naming the resource and each property that is wrong or not supported
 */
export function declaredMapping(
  resource: ResolvedResource,
  find: (nameOrArn: string) => FunctionSpec,
): StreamMappingSpec | QueueMappingSpec {
  const arn = String(resource.properties['EventSourceArn']);
  const service = serviceOf(arn);
  if (service === 'kinesis' && resourceOf(arn).split('/').length === 2)
    return stream(resource, find);
  if (service === 'sqs' && !arn.endsWith('.fifo')) return queue(resource, find);
  throw new Error(
    `Resources.${resource.logicalId}: EventSourceArn: ${arn} is neither a stream nor a standard queue`,
  );
}

function stream(
  resource: ResolvedResource,
  find: (name: string) => FunctionSpec,
): StreamMappingSpec {
  const properties = parse(StreamProperties, resource);
  const { EventSourceArn, StartingPosition, StartingPositionTimestamp = 0 } = properties;
  const onFailureArn = properties.DestinationConfig?.OnFailure?.Destination;
  if (onFailureArn !== undefined) checkOnFailure(onFailureArn, resource);
  return {
    ...common(resource, properties, find(properties.FunctionName)),
    kind: 'stream',
    streamName: resourceOf(EventSourceArn).replace(/^stream\//, ''),
    startingPosition:
      StartingPosition === 'AT_TIMESTAMP'
        ? { timestampMs: StartingPositionTimestamp * 1000 }
        : StartingPosition,
    parallelizationFactor: properties.ParallelizationFactor,
    bisectsOnError: properties.BisectBatchOnFunctionError,
    maximumRetryAttempts: properties.MaximumRetryAttempts,
    maximumRecordAgeSeconds: properties.MaximumRecordAgeInSeconds,
    ...(onFailureArn !== undefined && { onFailureArn }),
  };
}

function checkOnFailure(arn: string, { logicalId }: ResolvedResource): void {
  destinationNeed(arn);
  if (serviceOf(arn) === 'lambda') {
    throw new Error(
      `Resources.${logicalId}: DestinationConfig: a stream's failures go to a queue or topic`,
    );
  }
}

function queue(resource: ResolvedResource, find: (name: string) => FunctionSpec): QueueMappingSpec {
  const properties = parse(QueueProperties, resource);
  const spec = find(properties.FunctionName);
  const { MaximumConcurrency } = properties.ScalingConfig;
  return {
    ...common(resource, properties, spec),
    kind: 'queue',
    queueName: resourceOf(properties.EventSourceArn),
    functionTimeoutSeconds: spec.timeoutSeconds,
    ...(MaximumConcurrency !== undefined && { maximumConcurrency: MaximumConcurrency }),
  };
}

type CommonProperties = z.infer<z.ZodObject<typeof Common>> & { BatchSize: number };

const common = (
  resource: ResolvedResource,
  properties: CommonProperties,
  spec: FunctionSpec,
): MappingSpec => ({
  id: resource.physicalId,
  enabled: properties.Enabled,
  functionName: spec.name,
  functionArn: spec.arn,
  roleArn: spec.roleArn,
  sourceArn: properties.EventSourceArn,
  batchSize: properties.BatchSize,
  windowSeconds: properties.MaximumBatchingWindowInSeconds,
  reportsItemFailures: properties.FunctionResponseTypes.length > 0,
  filters: properties.FilterCriteria.Filters.map(({ Pattern }) => Pattern),
});

function parse<T>(schema: z.ZodType<T>, { logicalId, properties }: ResolvedResource): T {
  const parsed = schema.safeParse(properties);
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `${issue.keys.join(', ')}: not supported`
      : `${issue.path.join('.')}: ${issue.message}`,
  );
  throw new Error(`Resources.${logicalId}: ${findings.join('; ')}`);
}
