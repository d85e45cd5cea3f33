import * as z from 'zod';
import type { AwsError } from '../../operations/operation.ts';
import { sqsError } from './error.ts';

/** A queue's settings, checked; times in the unit that SQS names them in. */
export interface QueueSettings {
  readonly delaySeconds: number;
  readonly maximumMessageBytes: number;
  readonly retentionSeconds: number;
  readonly receiveWaitSeconds: number;
  readonly visibilityTimeoutSeconds: number;
  readonly redrive?: { readonly targetArn: string; readonly maxReceiveCount: number };
  readonly redriveAllow: RedriveAllowPolicy;
  /** Key id, key ARN or alias under which the queue is encrypted. */
  readonly keyId?: string;
}

/** Which queues may name this one as their dead-letter queue. */
type RedriveAllowPolicy =
  | { readonly redrivePermission: 'allowAll' | 'denyAll' }
  | { readonly redrivePermission: 'byQueue'; readonly sourceQueueArns: readonly string[] };

interface Range {
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

/** @see SQS API Reference, CreateQueue, Attributes */
const NUMBERS: Readonly<Record<string, Range>> = {
  DelaySeconds: { min: 0, max: 900, default: 0 },
  MaximumMessageSize: { min: 1024, max: 1_048_576, default: 1_048_576 },
  MessageRetentionPeriod: { min: 60, max: 1_209_600, default: 345_600 },
  ReceiveMessageWaitTimeSeconds: { min: 0, max: 20, default: 0 },
  VisibilityTimeout: { min: 0, max: 43_200, default: 30 },
  KmsDataKeyReusePeriodSeconds: { min: 60, max: 86_400, default: 300 },
};

const TEXTS = ['KmsMasterKeyId', 'SqsManagedSseEnabled', 'RedrivePolicy', 'RedriveAllowPolicy'];

const NOT_ON_THE_LAPTOP: Readonly<Record<string, string>> = {
  FifoQueue: 'FIFO queues',
  ContentBasedDeduplication: 'FIFO queues',
  DeduplicationScope: 'FIFO queues',
  FifoThroughputLimit: 'FIFO queues',
  Policy: 'queue policies',
};

const RedrivePolicy = z.object({
  deadLetterTargetArn: z.string().regex(/^arn:/, 'must be the ARN of a queue'),
  maxReceiveCount: z.coerce.number().int().min(1).max(1000),
});

const AllowPolicy = z.discriminatedUnion('redrivePermission', [
  z.object({ redrivePermission: z.enum(['allowAll', 'denyAll']) }),
  z.object({
    redrivePermission: z.literal('byQueue'),
    sourceQueueArns: z.array(z.string()).min(1).max(10),
  }),
]);

/**
 * @param attributes  SQS attribute names, values as text
 * @throws {AwsError} `InvalidAttributeName`, `InvalidAttributeValue`, or `UnsupportedOperation` for what the laptop lacks
 */
export function queueSettings(attributes: Readonly<Record<string, string>>): QueueSettings {
  for (const name of Object.keys(attributes)) checkName(name);
  const number = (name: string) => numberOf(name, attributes[name]);
  number('KmsDataKeyReusePeriodSeconds');
  const redrive = jsonOf('RedrivePolicy', attributes, RedrivePolicy);
  const keyId = attributes['KmsMasterKeyId'];
  return {
    delaySeconds: number('DelaySeconds'),
    maximumMessageBytes: number('MaximumMessageSize'),
    retentionSeconds: number('MessageRetentionPeriod'),
    receiveWaitSeconds: number('ReceiveMessageWaitTimeSeconds'),
    visibilityTimeoutSeconds: number('VisibilityTimeout'),
    ...(redrive && {
      redrive: { targetArn: redrive.deadLetterTargetArn, maxReceiveCount: redrive.maxReceiveCount },
    }),
    redriveAllow: jsonOf('RedriveAllowPolicy', attributes, AllowPolicy) ?? {
      redrivePermission: 'allowAll',
    },
    ...(keyId && { keyId }),
  };
}

/** The settings as GetQueueAttributes shows them: defaults filled in, empty texts left out. */
export function shownAttributes(
  attributes: Readonly<Record<string, string>>,
): Record<string, string> {
  const encrypted = Boolean(attributes['KmsMasterKeyId']);
  const defaults = Object.entries(NUMBERS)
    .filter(([name]) => encrypted || name !== 'KmsDataKeyReusePeriodSeconds')
    .map(([name, range]) => [name, String(range.default)]);
  const given = Object.entries(attributes).filter(([, value]) => value !== '');
  return Object.fromEntries([
    ...defaults,
    ['SqsManagedSseEnabled', encrypted ? 'false' : 'true'],
    ...given,
  ]);
}

/**
 * Attributes for a queue that a template declares.
 *
 * @param properties  of an `AWS::SQS::Queue`, intrinsic functions resolved
 */
export function queueAttributesOf(
  properties: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const settings = Object.entries(properties).filter(
    ([name, value]) => name !== 'QueueName' && name !== 'Tags' && value !== undefined,
  );
  return Object.fromEntries(
    settings
      .filter(([name, value]) => name !== 'FifoQueue' || String(value) === 'true')
      .map(([name, value]) => [
        name,
        typeof value === 'object' ? JSON.stringify(value) : String(value),
      ]),
  );
}

function checkName(name: string): void {
  const lacking = NOT_ON_THE_LAPTOP[name];
  if (lacking !== undefined) {
    throw sqsError('UnsupportedOperation', `${name}: the laptop has no ${lacking}.`);
  }
  if (name in NUMBERS || TEXTS.includes(name)) return;
  throw sqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
}

function numberOf(name: string, text: string | undefined): number {
  const range = NUMBERS[name];
  if (range === undefined) throw new RangeError(`${name} is not a number`);
  if (text === undefined) return range.default;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw invalid(name, `${text} is no whole number from ${range.min} to ${range.max}`);
}

function jsonOf<Value>(
  name: string,
  attributes: Readonly<Record<string, string>>,
  schema: z.ZodType<Value>,
): Value | undefined {
  const text = attributes[name] ?? '';
  if (text === '') return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw invalid(name, error instanceof z.ZodError ? z.prettifyError(error) : 'not JSON');
  }
}

const invalid = (name: string, problem: string): AwsError =>
  sqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}: ${problem}.`);
