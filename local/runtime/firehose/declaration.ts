import * as z from 'zod';
import type { ResolvedResource } from '../../core/template/index.ts';
import type { DeliveryStreamSpec } from '../../stores/delivery-store.ts';

/** A delivery stream of a template: where it writes, as whom, and where it reads, if it reads by itself. */
export interface DeclaredDeliveryStream {
  readonly spec: DeliveryStreamSpec;
  readonly arn: string;
  /** Whose grants it writes with. */
  readonly roleArn: string;
  readonly source?: { readonly streamName: string; readonly roleArn: string };
}

const MIB = 1024 * 1024;

const Processor = z.strictObject({
  Type: z.literal('AppendDelimiterToRecord', {
    error: (issue) =>
      `the laptop does not have the processor ${String(issue.input)}, only AppendDelimiterToRecord`,
  }),
  Parameters: z
    .array(z.strictObject({ ParameterName: z.literal('Delimiter'), ParameterValue: z.string() }))
    .max(1)
    .default([]),
});

const Destination = z.strictObject({
  BucketARN: z.string().regex(/^arn:[\w-]+:s3:::/, 'not the ARN of a bucket'),
  RoleARN: z.string(),
  BufferingHints: z
    .strictObject({
      IntervalInSeconds: z.int().min(0).max(900).default(300),
      SizeInMBs: z.int().min(1).max(128).default(5),
    })
    .default({ IntervalInSeconds: 300, SizeInMBs: 5 }),
  CompressionFormat: z
    .enum(['UNCOMPRESSED', 'GZIP'], 'the laptop writes UNCOMPRESSED and GZIP')
    .default('UNCOMPRESSED'),
  Prefix: z.string().optional(),
  /** For what a transformation could not read; the laptop has no transformation that could fail. */
  ErrorOutputPrefix: z.string().optional(),
  FileExtension: z.string().optional(),
  CustomTimeZone: z.literal('UTC', 'the laptop writes prefixes in UTC').optional(),
  ProcessingConfiguration: z
    .strictObject({ Enabled: z.boolean().default(true), Processors: z.array(Processor).max(1) })
    .default({ Enabled: false, Processors: [] }),
  /** Of failures, which the laptop says on the terminal. */
  CloudWatchLoggingOptions: z.unknown().optional(),
  /** The folder of a bucket is as safe as the disk it is on. */
  EncryptionConfiguration: z.unknown().optional(),
  S3BackupMode: z.literal('Disabled', 'the laptop keeps no backup of a destination').optional(),
});

const Source = z.strictObject({ KinesisStreamARN: z.string(), RoleARN: z.string() });

const Properties = z
  .strictObject({
    DeliveryStreamName: z.string().optional(),
    DeliveryStreamType: z.enum(['DirectPut', 'KinesisStreamAsSource']).default('DirectPut'),
    KinesisStreamSourceConfiguration: Source.optional(),
    ExtendedS3DestinationConfiguration: Destination,
    Tags: z.unknown().optional(),
  })
  .refine(
    (declared) =>
      (declared.DeliveryStreamType === 'KinesisStreamAsSource') ===
      (declared.KinesisStreamSourceConfiguration !== undefined),
    'KinesisStreamSourceConfiguration goes with DeliveryStreamType KinesisStreamAsSource, and with no other',
  );

/**
 * Reads an `AWS::KinesisFirehose::DeliveryStream`.
 *
 * @throws {Error} naming the resource and each property that is wrong, or that the laptop does not have
 */
export function declaredDeliveryStream({
  logicalId,
  name,
  arn = '',
  properties,
}: ResolvedResource): DeclaredDeliveryStream {
  const declared = Properties.safeParse(properties);
  if (!declared.success) {
    const problems = declared.error.issues.map(
      ({ path, message }) => `${[logicalId, ...path].join('.')}: ${message}`,
    );
    throw new Error(problems.join('; '));
  }
  const { KinesisStreamSourceConfiguration: source, ExtendedS3DestinationConfiguration: to } =
    declared.data;
  return {
    spec: specOf(name, to),
    arn,
    roleArn: to.RoleARN,
    ...(source && {
      source: {
        streamName: source.KinesisStreamARN.slice(source.KinesisStreamARN.indexOf('/') + 1),
        roleArn: source.RoleARN,
      },
    }),
  };
}

const specOf = (name: string, to: z.infer<typeof Destination>): DeliveryStreamSpec => ({
  name,
  bucket: to.BucketARN.slice(to.BucketARN.lastIndexOf(':') + 1),
  compression: to.CompressionFormat,
  delimiter: delimiterOf(to.ProcessingConfiguration),
  bufferingSeconds: to.BufferingHints.IntervalInSeconds,
  bufferingBytes: to.BufferingHints.SizeInMBs * MIB,
  ...(to.Prefix !== undefined && { prefix: to.Prefix }),
  ...(to.FileExtension !== undefined && { fileExtension: to.FileExtension }),
});

/** Firehose reads `\n` of its parameter as a new line. */
function delimiterOf({
  Enabled,
  Processors: [processor],
}: z.infer<typeof Destination>['ProcessingConfiguration']): string {
  if (!Enabled || processor === undefined) return '';
  const [parameter] = processor.Parameters;
  return parameter === undefined ? '\n' : parameter.ParameterValue.replaceAll('\\n', '\n');
}
