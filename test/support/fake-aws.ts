import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandInput,
  BatchWriteItemCommand,
  type BatchWriteItemCommandInput,
  ConditionalCheckFailedException,
  DynamoDBClient,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import {
  KinesisClient,
  PutRecordsCommand,
  type PutRecordsCommandInput,
} from '@aws-sdk/client-kinesis';
import {
  GetQueueUrlCommand,
  SendMessageBatchCommand,
  type SendMessageBatchCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { throttled, timedOut, unavailable } from './aws-errors.ts';

type Item = Record<string, AttributeValue>;

export interface StreamEntry {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** Thrown through everything: the container dies in the middle of an invocation. */
class Killed extends Error {
  override readonly name = 'Killed';
}

/**
 * Streams, tables and a queue in memory behind real SDK clients, with the faults that AWS has: a call is throttled,
 * fails, is done and then lost on the way back, or is done in part; or the caller dies before or after it.
 *
 * @param chance  how likely a call has a fault; change it while it runs
 */
export function fakeAws(random: () => number, chance: { faults: number }) {
  const streams = new Map<string, StreamEntry[]>();
  const tables = new Map<string, Map<string, Item>>();
  const messages: string[] = [];
  const counts = { calls: 0, faults: 0 };

  const happens = (): boolean => {
    const fault = random() < chance.faults;
    if (fault) counts.faults += 1;
    return fault;
  };

  /** A call that does all it does or nothing of it, and may be lost on either way. */
  const call = <Result>(run: () => Result): Result => {
    counts.calls += 1;
    if (!happens()) return run();
    const kind = Math.floor(random() * 5);
    if (kind === 0) throw throttled();
    if (kind === 1) throw unavailable();
    if (kind === 2) throw new Killed();
    const result = run();
    if (kind === 3) throw timedOut();
    return random() < 0.5 ? result : thrown(new Killed());
  };

  const stream = (name: string): StreamEntry[] => {
    const entries = streams.get(name) ?? [];
    streams.set(name, entries);
    return entries;
  };

  const table = (name: string): Map<string, Item> => {
    const items = tables.get(name) ?? new Map<string, Item>();
    tables.set(name, items);
    return items;
  };

  const keyOf = ({ pk, sk }: Item): string => `${pk?.S}\n${sk?.S}`;

  const kinesis = new KinesisClient({ region: 'eu-central-1' });
  mockClient(kinesis)
    .on(PutRecordsCommand)
    .callsFake(async ({ StreamName = '', Records = [] }: PutRecordsCommandInput) =>
      call(() => ({
        Records: Records.map(
          ({ PartitionKey: partitionKey = '', Data: data = new Uint8Array() }) => {
            if (happens()) return { ErrorCode: 'ProvisionedThroughputExceededException' };
            stream(StreamName).push({ partitionKey, data });
            return { SequenceNumber: String(stream(StreamName).length), ShardId: 's' };
          },
        ),
      })),
    );

  const dynamo = new DynamoDBClient({ region: 'eu-central-1' });
  mockClient(dynamo)
    .on(BatchWriteItemCommand)
    .callsFake(async ({ RequestItems = {} }: BatchWriteItemCommandInput) =>
      call(() => {
        const left = Object.entries(RequestItems).map(([name, requests]) => {
          const unprocessed = requests.filter(({ PutRequest }) => {
            const item = PutRequest?.Item ?? {};
            if (happens()) return true;
            table(name).set(keyOf(item), item);
            return false;
          });
          return [name, unprocessed] as const;
        });
        return {
          UnprocessedItems: Object.fromEntries(left.filter(([, items]) => items.length > 0)),
        };
      }),
    )
    .on(BatchGetItemCommand)
    .callsFake(async ({ RequestItems = {} }: BatchGetItemCommandInput) =>
      call(() => {
        const [[name, { Keys = [] }] = ['', { Keys: [] }]] = Object.entries(RequestItems);
        const unread = Keys.filter(happens);
        const found = Keys.filter((key) => !unread.includes(key))
          .map((key) => table(name).get(keyOf(key)))
          .filter((item) => item !== undefined);
        return {
          Responses: { [name]: found },
          ...(unread.length > 0 ? { UnprocessedKeys: { [name]: { Keys: unread } } } : {}),
        };
      }),
    )
    .on(PutItemCommand)
    .callsFake(async ({ TableName = '', Item = {}, ConditionExpression }: PutItemCommandInput) =>
      call(() => {
        const old: Item | undefined = table(TableName).get(keyOf(Item));
        if (old && !holds(ConditionExpression ?? '', old, Item)) {
          throw new ConditionalCheckFailedException({
            $metadata: { httpStatusCode: 400 },
            message: 'The conditional request failed',
          });
        }
        table(TableName).set(keyOf(Item), Item);
        return {};
      }),
    );

  const sqs = new SQSClient({ region: 'eu-central-1' });
  mockClient(sqs)
    .on(GetQueueUrlCommand)
    .callsFake(async () => call(() => ({ QueueUrl: 'https://queue' })))
    .on(SendMessageBatchCommand)
    .callsFake(async ({ Entries = [] }: SendMessageBatchCommandInput) =>
      call(() => {
        const failed = Entries.filter(happens);
        const taken = Entries.filter((entry) => !failed.includes(entry));
        messages.push(...taken.map(({ MessageBody = '' }) => MessageBody));
        return {
          Successful: taken.map(({ Id }) => ({ Id })),
          Failed: failed.map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError' })),
        };
      }),
    );

  return { kinesis, dynamo, sqs, stream, table, messages, counts };
}

const thrown = (error: Error): never => {
  throw error;
};

/** The two conditions that the service writes under; any other is a mistake of the test. */
function holds(condition: string, old: Item, item: Item): boolean {
  if (condition === 'attribute_not_exists(pk)') return false;
  if (!condition.includes('observedAtMs < :at')) throw new Error(`unknown condition ${condition}`);
  const [before, now] = [Number(old['observedAtMs']?.N), Number(item['observedAtMs']?.N)];
  return before < now || (before === now && (old['id']?.S ?? '') < (item['id']?.S ?? ''));
}
