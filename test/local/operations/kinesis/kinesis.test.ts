import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  IncreaseStreamRetentionPeriodCommand,
  type KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  SplitShardCommand,
  SubscribeToShardCommand,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startKinesis, type World } from './kinesis-world.ts';

const StreamName = 'tributary-test-uplinks';
const ShardId = 'shardId-000000000000';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function start(world: World = {}, ShardCount = 1) {
  const kinesis = await startKinesis(world);
  undo.push(kinesis.stop);
  const client = kinesis.http2Client();
  await client.send(new CreateStreamCommand({ StreamName, ShardCount }));
  return { ...kinesis, client };
}

const recordsOf = (...texts: string[]) =>
  texts.map((text) => ({ Data: Buffer.from(text), PartitionKey: 'probe-1' }));

const putAll = (client: KinesisClient, ...texts: string[]) =>
  client.send(new PutRecordsCommand({ StreamName, Records: recordsOf(...texts) }));

async function iteratorFor(
  client: KinesisClient,
  position: Pick<GetShardIteratorCommandInput, 'ShardIteratorType'> &
    Partial<GetShardIteratorCommandInput>,
) {
  const input = { StreamName, ShardId, ...position };
  const { ShardIterator = '' } = await client.send(new GetShardIteratorCommand(input));
  return ShardIterator;
}

async function readFrom(client: KinesisClient, ShardIterator: string, Limit?: number) {
  const answer = await client.send(
    new GetRecordsCommand({ ShardIterator, ...(Limit !== undefined && { Limit }) }),
  );
  const texts = (answer.Records ?? []).map(({ Data = [] }) => Buffer.from(Data).toString());
  return { ...answer, texts, next: answer.NextShardIterator ?? '' };
}

describe.each([
  { over: 'HTTP/2, as the client does by default', pick: 'http2Client' as const },
  { over: 'HTTP/1.1', pick: 'http1Client' as const },
])('Kinesis over $over', ({ pick }) => {
  it('gives back what was put', async () => {
    const kinesis = await start();
    const client = kinesis[pick]();
    const data = randomBytes(1_000);
    const put = await client.send(
      new PutRecordCommand({ StreamName, Data: data, PartitionKey: 'größe' }),
    );
    const { Records } = await readFrom(
      client,
      await iteratorFor(client, { ShardIteratorType: 'TRIM_HORIZON' }),
    );
    expect(Records).toEqual([
      {
        SequenceNumber: put.SequenceNumber,
        ApproximateArrivalTimestamp: new Date(1_700_000_000_000),
        Data: new Uint8Array(data),
        PartitionKey: 'größe',
        EncryptionType: 'NONE',
      },
    ]);
    expect(put).toMatchObject({ ShardId, EncryptionType: 'NONE' });
    expect(put.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('takes 500 records of 10 kB in one request', async () => {
    const kinesis = await start({}, 4);
    const client = kinesis[pick]();
    const Records = Array.from({ length: 500 }, (_, at) => ({
      Data: Buffer.alloc(10_000, at),
      PartitionKey: `probe-${at}`,
    }));
    const answer = await client.send(new PutRecordsCommand({ StreamName, Records }));
    expect(answer.FailedRecordCount).toBe(0);
    expect(new Set(answer.Records?.map((entry) => entry.ShardId)).size).toBe(4);
  });
});

describe('a stream', () => {
  it('is there at once, with the shards asked for', async () => {
    const { client } = await start({}, 3);
    const { state } = await waitUntilStreamExists({ client, maxWaitTime: 11 }, { StreamName });
    expect(state).toBe('SUCCESS');
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamName }));
    expect(StreamDescription).toMatchObject({
      StreamARN: `arn:aws:kinesis:eu-central-1:000000000000:stream/${StreamName}`,
      StreamStatus: 'ACTIVE',
      HasMoreShards: false,
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: new Date(1_700_000_000_000),
    });
    expect(StreamDescription?.Shards?.map((shard) => shard.HashKeyRange)).toEqual([
      {
        StartingHashKey: '0',
        EndingHashKey: '113427455640312821154458202477256070484',
      },
      {
        StartingHashKey: '113427455640312821154458202477256070485',
        EndingHashKey: '226854911280625642308916404954512140969',
      },
      {
        StartingHashKey: '226854911280625642308916404954512140970',
        EndingHashKey: '340282366920938463463374607431768211455',
      },
    ]);
  });

  it('on demand has four shards', async () => {
    const { client } = await start();
    await client.send(
      new CreateStreamCommand({
        StreamName: 'on-demand',
        StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      }),
    );
    const { StreamDescriptionSummary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: 'on-demand' }),
    );
    expect(StreamDescriptionSummary).toMatchObject({
      OpenShardCount: 4,
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      EncryptionType: 'NONE',
    });
  });

  it('is listed with others, page by page', async () => {
    const { client } = await start();
    for (const name of ['b', 'a']) {
      await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: 1 }));
    }
    const first = await client.send(new ListStreamsCommand({ Limit: 2 }));
    expect(first).toMatchObject({ StreamNames: ['a', 'b'], HasMoreStreams: true });
    const rest = await client.send(new ListStreamsCommand({ NextToken: first.NextToken }));
    expect(rest).toMatchObject({ StreamNames: [StreamName], HasMoreStreams: false });
  });

  it('is found by its ARN as well', async () => {
    const { client } = await start();
    const StreamARN = `arn:aws:kinesis:eu-central-1:000000000000:stream/${StreamName}`;
    await client.send(new PutRecordsCommand({ StreamARN, Records: recordsOf('a') }));
    const { StreamDescriptionSummary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamARN }),
    );
    expect(StreamDescriptionSummary?.StreamName).toBe(StreamName);
  });

  it('lists its shards page by page, for as long as the token is good', async () => {
    const { client, clock } = await start({}, 3);
    const first = await client.send(new ListShardsCommand({ StreamName, MaxResults: 2 }));
    expect(first.Shards?.map((shard) => shard.ShardId)).toEqual([ShardId, 'shardId-000000000001']);
    const next = new ListShardsCommand({ NextToken: first.NextToken });
    const { Shards, NextToken } = await client.send(next);
    expect(Shards?.map((shard) => shard.ShardId)).toEqual(['shardId-000000000002']);
    expect(NextToken).toBeUndefined();
    clock.nowMs += 300_001;
    await expect(client.send(next)).rejects.toMatchObject({ name: 'ExpiredNextTokenException' });
  });

  it('is gone when it was deleted', async () => {
    const { client } = await start();
    await client.send(new DeleteStreamCommand({ StreamName }));
    await expect(putAll(client, 'a')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('changes its retention in the direction that is asked for', async () => {
    const { client } = await start();
    const RetentionPeriodHours = 48;
    const increase = new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours });
    await client.send(increase);
    const { StreamDescriptionSummary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName }),
    );
    expect(StreamDescriptionSummary?.RetentionPeriodHours).toBe(48);
    await expect(
      client.send(
        new DecreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 72 }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  });
});

describe('an iterator', () => {
  it.each([
    { ShardIteratorType: 'TRIM_HORIZON' as const, texts: ['a', 'b', 'c'] },
    { ShardIteratorType: 'LATEST' as const, texts: [] },
    { ShardIteratorType: 'AT_SEQUENCE_NUMBER' as const, texts: ['b', 'c'] },
    { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const, texts: ['c'] },
    { ShardIteratorType: 'AT_TIMESTAMP' as const, texts: ['c'] },
  ])('of type $ShardIteratorType begins where it says', async ({ ShardIteratorType, texts }) => {
    const { client, clock } = await start();
    const { Records = [] } = await putAll(client, 'a', 'b');
    clock.nowMs += 1_500;
    await putAll(client, 'c');
    const iterator = await iteratorFor(client, {
      ShardIteratorType,
      StartingSequenceNumber: Records[1]?.SequenceNumber,
      Timestamp: new Date(clock.nowMs - 1_000),
    });
    expect((await readFrom(client, iterator)).texts).toEqual(texts);
  });

  it('leads through the shard, and says how far behind it is', async () => {
    const { client, clock } = await start();
    await putAll(client, 'a', 'b', 'c');
    clock.nowMs += 2_000;
    const iterator = await iteratorFor(client, { ShardIteratorType: 'TRIM_HORIZON' });
    const first = await readFrom(client, iterator, 2);
    expect(first).toMatchObject({ texts: ['a', 'b'], MillisBehindLatest: 2_000 });
    const second = await readFrom(client, first.next, 2);
    expect(second).toMatchObject({ texts: ['c'], MillisBehindLatest: 0 });
    await putAll(client, 'd');
    expect(await readFrom(client, second.next)).toMatchObject({ texts: ['d'] });
  });

  it('expires after five minutes', async () => {
    const { client, clock } = await start();
    const iterator = await iteratorFor(client, { ShardIteratorType: 'LATEST' });
    clock.nowMs += 300_000;
    await readFrom(client, iterator);
    clock.nowMs += 1;
    await expect(readFrom(client, iterator)).rejects.toMatchObject({
      name: 'ExpiredIteratorException',
    });
  });
});

describe('what does not fit', () => {
  const data = Buffer.from('x');
  it.each([
    {
      what: 'an unknown stream',
      command: () => new PutRecordCommand({ StreamName: 'other', Data: data, PartitionKey: 'a' }),
      name: 'ResourceNotFoundException',
      message: 'Stream other not found.',
    },
    {
      what: 'an unknown shard',
      command: () =>
        new GetShardIteratorCommand({
          StreamName,
          ShardId: 'shardId-000000000009',
          ShardIteratorType: 'LATEST',
        }),
      name: 'ResourceNotFoundException',
      message: 'Shard shardId-000000000009 in stream tributary-test-uplinks does not exist',
    },
    {
      what: 'a stream that is there',
      command: () => new CreateStreamCommand({ StreamName, ShardCount: 1 }),
      name: 'ResourceInUseException',
      message: 'already exists',
    },
    {
      what: 'no partition key',
      command: () => new PutRecordCommand({ StreamName, Data: data, PartitionKey: undefined }),
      name: 'ValidationException',
      message: "at 'PartitionKey'",
    },
    {
      what: 'a partition key of 257 characters',
      command: () =>
        new PutRecordCommand({ StreamName, Data: data, PartitionKey: 'k'.repeat(257) }),
      name: 'ValidationException',
      message: "at 'PartitionKey'",
    },
    {
      what: 'a record of 1 MiB and a byte',
      command: () =>
        new PutRecordCommand({ StreamName, Data: Buffer.alloc(1_048_577), PartitionKey: 'a' }),
      name: 'ValidationException',
      message: 'less than or equal to 1048576',
    },
    {
      what: 'a record of 1 MiB with its partition key',
      command: () =>
        new PutRecordCommand({ StreamName, Data: Buffer.alloc(1_048_576), PartitionKey: 'a' }),
      name: 'InvalidArgumentException',
      message: 'together exceed 1048576 bytes',
    },
    {
      what: '501 records',
      command: () =>
        new PutRecordsCommand({ StreamName, Records: recordsOf(...Array(501).fill('x')) }),
      name: 'ValidationException',
      message: "at 'Records'",
    },
    {
      what: 'more than 5 MiB of records',
      command: () =>
        new PutRecordsCommand({
          StreamName,
          Records: Array.from({ length: 6 }, () => ({
            Data: Buffer.alloc(1_000_000),
            PartitionKey: 'a',
          })),
        }),
      name: 'InvalidArgumentException',
      message: '5242880 are allowed',
    },
    {
      what: 'an explicit hash key of 2^128',
      command: () =>
        new PutRecordCommand({
          StreamName,
          Data: data,
          PartitionKey: 'a',
          ExplicitHashKey: String(2n ** 128n),
        }),
      name: 'ValidationException',
      message: "at 'ExplicitHashKey'",
    },
    {
      what: 'an iterator of somewhere else',
      command: () => new GetRecordsCommand({ ShardIterator: 'AAAAAAAAAAFYZ' }),
      name: 'InvalidArgumentException',
      message: 'Invalid ShardIterator.',
    },
    {
      what: 'a sequence number of somewhere else',
      command: () =>
        new GetShardIteratorCommand({
          StreamName,
          ShardId,
          ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
          StartingSequenceNumber: '49590338271490256608559692538361571095921575989136588898',
        }),
      name: 'InvalidArgumentException',
      message: 'is no sequence number of shardId-000000000000',
    },
    {
      what: 'a member that the laptop does not have',
      command: () =>
        new CreateStreamCommand({ StreamName: 'tagged', ShardCount: 1, Tags: { a: 'b' } }),
      name: 'ValidationException',
      message: 'the laptop does not have Tags',
    },
    {
      what: 'a stream without any name',
      command: () => new DescribeStreamSummaryCommand({}),
      name: 'InvalidArgumentException',
      message: 'Either StreamName or StreamARN',
    },
  ])('$what is answered with $name', async ({ command, name, message }) => {
    const { client } = await start();
    const send = client.send.bind(client) as (command: unknown) => Promise<unknown>;
    await expect(send(command())).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message),
    });
  });

  it.each([
    {
      operation: 'SplitShard',
      command: new SplitShardCommand({
        StreamName,
        ShardToSplit: ShardId,
        NewStartingHashKey: '1',
      }),
    },
    {
      operation: 'RegisterStreamConsumer',
      command: new RegisterStreamConsumerCommand({ StreamARN: 'a', ConsumerName: 'b' }),
    },
    {
      operation: 'SubscribeToShard',
      command: new SubscribeToShardCommand({
        ConsumerARN: 'a',
        ShardId,
        StartingPosition: { Type: 'LATEST' },
      }),
    },
  ])('$operation is refused by name', async ({ operation, command }) => {
    const { client } = await start();
    const send = client.send.bind(client) as (command: unknown) => Promise<unknown>;
    await expect(send(command)).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringContaining(`The laptop does not have Kinesis_20131202.${operation}.`),
    });
  });
});

describe('limits', () => {
  it('fail the records that a shard does not take, one by one', async () => {
    const { client, clock } = await start({ store: { limits: true } });
    const half = Array.from({ length: 2 }, () => 'x'.repeat(400_000));
    expect(await putAll(client, ...half)).toMatchObject({ FailedRecordCount: 0 });
    const answer = await putAll(client, 'y', ...half, 'z');
    expect(answer.FailedRecordCount).toBe(2);
    expect(answer.Records).toMatchObject([
      { ShardId },
      { ErrorCode: 'ProvisionedThroughputExceededException' },
      { ErrorCode: 'ProvisionedThroughputExceededException' },
      { ShardId },
    ]);
    clock.nowMs += 1_000;
    expect(await putAll(client, ...half)).toMatchObject({ FailedRecordCount: 0 });
  });

  it('refuse the sixth read of a second', async () => {
    const { client } = await start({ store: { limits: true } });
    const iterator = await iteratorFor(client, { ShardIteratorType: 'LATEST' });
    for (let read = 0; read < 5; read += 1) await readFrom(client, iterator);
    await expect(readFrom(client, iterator)).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
    });
  });

  it('make a reader pay off a large answer', async () => {
    const { client, clock } = await start({ store: { limits: true } });
    for (let second = 0; second < 6; second += 1) {
      clock.nowMs += 1_000;
      await putAll(client, 'x'.repeat(1_000_000));
    }
    const iterator = await iteratorFor(client, { ShardIteratorType: 'TRIM_HORIZON' });
    expect((await readFrom(client, iterator)).texts).toHaveLength(6);
    clock.nowMs += 1_000;
    await expect(readFrom(client, iterator)).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
    });
    clock.nowMs += 1_000;
    await readFrom(client, iterator);
  });
});

it('keeps everything that was acknowledged when the laptop is killed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kinesis-'));
  undo.push(() => rmSync(directory, { recursive: true, force: true }));
  const before = await start({ store: { directory } }, 4);
  await Promise.all(Array.from({ length: 20 }, (_, at) => putAll(before.client, `record ${at}`)));
  const after = await startKinesis({ store: { directory } }); // the first one is still open
  undo.push(after.stop);
  const client = after.http2Client();
  const found: string[] = [];
  for (const shardId of after.streams.shards(StreamName)) {
    const iterator = await iteratorFor(client, {
      ShardId: shardId,
      ShardIteratorType: 'TRIM_HORIZON',
    });
    found.push(...(await readFrom(client, iterator)).texts);
  }
  expect(found).toHaveLength(20);
  expect(new Set(found)).toEqual(new Set(Array.from({ length: 20 }, (_, at) => `record ${at}`)));
});
