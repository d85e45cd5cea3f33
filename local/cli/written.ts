import * as z from 'zod';
import type { FaultyCall } from '../servers/aws-faults.ts';

const Written = z.union([
  z.object({
    StreamName: z.string(),
    Records: z.array(z.object({ Data: z.instanceof(Uint8Array) })),
  }),
  z.object({ QueueUrl: z.string(), Entries: z.array(z.object({ MessageBody: z.string() })) }),
  z.object({
    RequestItems: z.record(z.string(), z.array(z.looseObject({ PutRequest: z.unknown() }))),
  }),
  z.object({ TableName: z.string(), Item: z.unknown() }),
  z.object({ TopicArn: z.string(), Message: z.string() }),
  z.object({
    TopicArn: z.string(),
    PublishBatchRequestEntries: z.array(z.object({ Message: z.string() })),
  }),
  z.object({ Entries: z.array(z.object({ DetailType: z.string(), Detail: z.string() })) }),
]);

const WRITES =
  /\.(?:PutRecords?|SendMessage(?:Batch)?|BatchWriteItem|PutItem|UpdateItem|Publish(?:Batch)?|PutEvents)$/;

/** A call to a REST API that changes something: those of AWS IoT. */
const CHANGES = /^(?:POST|PUT|PATCH|DELETE) /;

/** One line for each thing that a call writes: where to, and what. */
export function linesOf({ target, input }: FaultyCall): string[] {
  if (CHANGES.test(target)) return [`${target}: ${JSON.stringify(input, readable)}`];
  const { data } = WRITES.test(target) ? Written.safeParse(input) : {};
  if (data === undefined) return [];
  if ('StreamName' in data) {
    return data.Records.map(({ Data }) => `${data.StreamName}: ${Buffer.from(Data)}`);
  }
  if ('QueueUrl' in data) {
    const queue = data.QueueUrl.split('/').at(-1);
    return data.Entries.map(({ MessageBody }) => `${queue}: ${MessageBody}`);
  }
  if ('TopicArn' in data) {
    const sent = 'Message' in data ? [data] : data.PublishBatchRequestEntries;
    return sent.map(({ Message }) => `${data.TopicArn.split(':').at(-1)}: ${Message}`);
  }
  if ('Entries' in data) {
    return data.Entries.map(({ DetailType, Detail }) => `event ${DetailType}: ${Detail}`);
  }
  if ('TableName' in data) return [`${data.TableName}: ${JSON.stringify(data.Item)}`];
  return Object.entries(data.RequestItems).flatMap(([table, requests]) =>
    requests.map((request) => `${table}: ${JSON.stringify(request)}`),
  );
}

/** Payloads as text; JSON itself would have them as lists of numbers before it asks. */
function readable(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const raw = this[key];
  return raw instanceof Uint8Array ? Buffer.from(raw).toString() : value;
}
