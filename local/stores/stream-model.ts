export type StreamMode = 'PROVISIONED' | 'ON_DEMAND';

export interface StreamDefinition {
  /** Letters, digits, `_`, `.` and `-`, at most 128. */
  readonly name: string;
  readonly arn: string;
  readonly shardCount: number;
  readonly retentionHours: number;
  /** KMS key the stream is encrypted with; here it only decides which grants a caller needs. */
  readonly keyArn?: string;
  /** `PROVISIONED` unless said otherwise. */
  readonly mode?: StreamMode;
}

export interface StreamDescription extends StreamDefinition {
  readonly mode: StreamMode;
  readonly createdAtMs: number;
}

export interface NewRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  /** Decimal, 0 to 2^128 − 1; takes the place of the partition key's hash. */
  readonly explicitHashKey?: string;
}

/** Why one record was not taken, in Kinesis's words for PutRecords. */
export interface PutFailure {
  readonly errorCode: string;
  readonly errorMessage: string;
}

export type PutResult = { readonly sequenceNumber: string; readonly shardId: string } | PutFailure;

export interface StreamRecord {
  readonly sequenceNumber: string;
  readonly shardId: string;
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly arrivedAtMs: number;
}

/** Where to read from: sequence numbers as records carry them, times in ms since the Unix epoch. */
export type Position =
  | { readonly at: string }
  | { readonly after: string }
  | { readonly timestampMs: number }
  | 'TRIM_HORIZON'
  | 'LATEST';

/** `streamName` and `shardId` of records that just became readable. */
export type AppendListener = (streamName: string, shardId: string) => void;
