import { Buffer } from 'node:buffer';
import type { StreamRecord } from '../../stores/stream-model.ts';
import { regionOf } from '../lambda-environment.ts';
import type { StreamMappingSpec } from './specs.ts';

type Origin = Pick<StreamMappingSpec, 'sourceArn' | 'roleArn'>;

/** One record of the event a function gets; times in seconds since the Unix epoch. */
export const kinesisEventRecord = (record: StreamRecord, { sourceArn, roleArn }: Origin) => ({
  kinesis: {
    kinesisSchemaVersion: '1.0',
    partitionKey: record.partitionKey,
    sequenceNumber: record.sequenceNumber,
    data: Buffer.from(record.data).toString('base64'),
    approximateArrivalTimestamp: record.arrivedAtMs / 1000,
  },
  eventSource: 'aws:kinesis',
  eventVersion: '1.0',
  eventID: eventId(record),
  eventName: 'aws:kinesis:record',
  invokeIdentityArn: roleArn,
  awsRegion: regionOf(sourceArn),
  eventSourceARN: sourceArn,
});

export const eventId = ({ shardId, sequenceNumber }: StreamRecord): string =>
  `${shardId}:${sequenceNumber}`;

/** Bytes that a record adds to an event's JSON, reckoned without building it. */
export function eventRecordBytes(record: StreamRecord, origin: Origin): number {
  const base64 = Math.ceil(record.data.byteLength / 3) * 4;
  return base64 + JSON.stringify(kinesisEventRecord({ ...record, data: NOTHING }, origin)).length;
}

const NOTHING = new Uint8Array();

/** @see Lambda quotas: payload of a synchronous invocation, less what stands around the records. */
export const EVENT_LIMIT_BYTES = 6 * 1024 * 1024 - 1024;
