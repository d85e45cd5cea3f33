import * as z from 'zod';
import type { ActionKind, Turn } from './action.ts';
import { elementsOf } from './json-array.ts';

const Declaration = z.strictObject({
  DeliveryStreamName: z.string().min(1),
  Separator: z.literal(['\n', '\t', '\r\n', ',']).optional(),
  BatchMode: z.boolean().default(false),
  RoleArn: z.string(),
});

const MAX_BATCH = 500;

/** @see IoT Core Developer Guide, Data Firehose action */
export const firehose: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ DeliveryStreamName, Separator = '', BatchMode, RoleArn }, tools) {
    const { deliveryStreams } = tools.sinks;
    if (deliveryStreams === undefined) throw new Error('the laptop has no delivery streams here');
    const streamName = tools.parameter(DeliveryStreamName);
    const action = BatchMode ? 'firehose:PutRecordBatch' : 'firehose:PutRecord';
    return {
      name: 'FirehoseAction',
      resource: DeliveryStreamName,
      async prepare(turn) {
        const resource = await streamName(turn);
        const attempt = () => {
          tools.demand(RoleArn, [
            {
              action,
              resource: `arn:aws:firehose:${tools.region}:${tools.accountId}:deliverystream/${resource}`,
            },
          ]);
          const contents = BatchMode ? batchOf(turn) : [turn.payload];
          const end = Buffer.from(Separator);
          return deliveryStreams.put(
            resource,
            contents.map((content) => Buffer.concat([content, end])),
          );
        };
        return { resource, attempt };
      },
    };
  },
};

const batchOf = (turn: Turn): Uint8Array[] =>
  elementsOf(turn, MAX_BATCH).map((element) => Buffer.from(JSON.stringify(element)));
