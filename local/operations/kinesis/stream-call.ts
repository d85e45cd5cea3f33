import * as z from 'zod';
import type { StreamDescription, StreamStore } from '../../stores/stream-store.ts';
import { AwsError, type Need } from '../operation.ts';

export interface KinesisDeps {
  readonly streams: StreamStore;
  readonly accountId: string;
  readonly region: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** `x-amz-target` of an operation. */
export const target = (name: string) => ({ target: `Kinesis_20131202.${name}` });

/** An object whose members are all known here: what is not supported is refused by name. */
export const members = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `the laptop does not have ${issue.keys.join(', ')}`
        : undefined,
  });

export const streamName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[a-zA-Z0-9_.-]+$/, 'Member must consist of letters, digits, _, . and -');

/** The two ways to name a stream, of which a request has one or both. */
export const streamMembers = {
  StreamName: streamName.optional(),
  StreamARN: z
    .string()
    .regex(/^arn:aws[\w-]*:kinesis:[^:]*:\d{12}:stream\/[a-zA-Z0-9_.-]+$/, 'not a stream ARN')
    .optional(),
};

export interface StreamReference {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
}

/** @throws {AwsError} `InvalidArgumentException` when neither is given, or both and they differ. */
export function streamNameOf({ StreamName, StreamARN }: StreamReference): string {
  const fromArn = StreamARN?.split('/')[1];
  const name = StreamName ?? fromArn;
  if (name === undefined) {
    throw new AwsError('InvalidArgumentException', 'Either StreamName or StreamARN must be given.');
  }
  if (fromArn !== undefined && fromArn !== name) {
    const message = `StreamName ${name} and StreamARN ${StreamARN} name different streams.`;
    throw new AwsError('InvalidArgumentException', message);
  }
  return name;
}

export function arnOf({ streams, accountId, region }: KinesisDeps, name: string): string {
  if (streams.has(name)) return streams.describe(name).arn;
  return `arn:aws:kinesis:${region}:${accountId}:stream/${name}`;
}

/** The grant for an action on a stream that is named by the request. */
export const needOn =
  (deps: KinesisDeps, action: string) =>
  (input: StreamReference): Need[] => [
    { action: `kinesis:${action}`, resource: arnOf(deps, streamNameOf(input)) },
  ];

/** The grant on the stream's own key that Kinesis asks of writers and readers, where it has one. */
export function keyNeed(deps: KinesisDeps, name: string, action: string): Need[] {
  const keyArn = deps.streams.has(name) ? deps.streams.describe(name).keyArn : undefined;
  if (keyArn === undefined) return [];
  const context = {
    'kms:ViaService': `kinesis.${deps.region}.amazonaws.com`,
    'kms:EncryptionContext:aws:kinesis:arn': arnOf(deps, name),
  };
  return [{ action: `kms:${action}`, resource: keyArn, context }];
}

export const denialCode = ({ action }: Need): string =>
  action.startsWith('kms:') ? 'KMSAccessDeniedException' : 'AccessDeniedException';

/** Members that answers about encryption have in common. */
export const encryptionOf = ({ keyArn }: StreamDescription) =>
  keyArn === undefined ? { EncryptionType: 'NONE' } : { EncryptionType: 'KMS', KeyId: keyArn };

/** Seconds, as timestamps are written in AWS JSON. */
export const seconds = (ms: number): number => ms / 1_000;
