import type { KinesisStreamEvent, KinesisStreamRecord } from 'aws-lambda';

interface Sent {
  readonly partitionKey?: string;
  /** JSON for an object, text and bytes as they are. */
  readonly data: Uint8Array | string | object;
}

/** An event of a Kinesis event source; sequence numbers are `1`, `2`, … */
export const streamEvent = (stream: string, sent: readonly Sent[]): KinesisStreamEvent => ({
  Records: sent.map((one, at) => streamRecord(stream, String(at + 1), one)),
});

export function streamRecord(
  stream: string,
  sequenceNumber: string,
  { partitionKey = 'probe-1', data }: Sent,
): KinesisStreamRecord {
  return {
    eventID: `shardId-000000000000:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    eventSource: 'aws:kinesis',
    eventSourceARN: `arn:aws:kinesis:eu-central-1:000000000000:stream/${stream}`,
    eventVersion: '1.0',
    awsRegion: 'eu-central-1',
    invokeIdentityArn: 'arn:aws:iam::000000000000:role/test',
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey,
      sequenceNumber,
      data: base64(data),
      approximateArrivalTimestamp: 1_790_000_000,
    },
  };
}

const base64 = (data: Sent['data']): string => {
  if (data instanceof Uint8Array) return Buffer.from(data).toString('base64');
  return Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64');
};
