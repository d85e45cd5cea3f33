import * as z from 'zod';
import type { ActionKind } from './action.ts';

const Declaration = z.strictObject({
  StreamName: z.string().min(1),
  PartitionKey: z.string({
    error: 'required here: AWS would put all records under one key, which is one shard',
  }),
  RoleArn: z.string(),
});

/** @see IoT Core Developer Guide, Kinesis Data Streams action */
export const kinesis: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ StreamName, PartitionKey, RoleArn }, { parameter, service }) {
    const putRecord = service('Kinesis_20131202.PutRecord');
    const [streamName, partitionKey] = [parameter(StreamName), parameter(PartitionKey)];
    return {
      name: 'KinesisAction',
      resource: StreamName,
      async prepare(turn) {
        const resource = await streamName(turn);
        const input = {
          StreamName: resource,
          PartitionKey: await partitionKey(turn),
          Data: Buffer.from(turn.payload).toString('base64'),
        };
        return { resource, attempt: () => putRecord(RoleArn, input) };
      },
    };
  },
};
