import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { readingsStream } from '../../../../shared/adapters/readings/readings-stream.ts';
import { throttled } from '../../../support/aws-errors.ts';
import { patientTools, plentyOfTime } from '../../../support/retry-tools.ts';

const record = (key: string, bytes = 10) => ({ key, data: new Uint8Array(bytes) });
const accepted = { SequenceNumber: '1', ShardId: 'shardId-000000000000' };
const refused = { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'slow down' };

function setup() {
  const client = new KinesisClient({ region: 'eu-central-1' });
  const kinesis = mockClient(client);
  const stream = readingsStream(client, 'readings', patientTools());
  const puts = () =>
    kinesis
      .commandCalls(PutRecordsCommand)
      .map(({ args: [{ input }] }) => input.Records?.map(({ PartitionKey }) => PartitionKey));
  return { kinesis, stream, puts };
}

const acceptAll = async ({ Records = [] }: { Records?: unknown[] | undefined }) => ({
  Records: Records.map(() => accepted),
});

describe('the stream of readings', () => {
  it('takes records in order, 500 and 5 MB a request', async () => {
    const { kinesis, stream, puts } = setup();
    kinesis.on(PutRecordsCommand).callsFake(acceptAll);
    const small = Array.from({ length: 501 }, (_, at) => record(`d${at}`));
    const large = Array.from({ length: 6 }, (_, at) => record(`e${at}`, 999_000));
    await expect(stream.put([...small, ...large], plentyOfTime)).resolves.toEqual([]);
    expect(puts().map((keys) => keys?.length)).toEqual([500, 6, 1]);
    expect(puts().flat()).toEqual([...small, ...large].map(({ key }) => key));
  });

  it('sends refused records again, in order', async () => {
    const { kinesis, stream, puts } = setup();
    kinesis
      .on(PutRecordsCommand)
      .resolvesOnce({ Records: [accepted, refused, accepted, refused] })
      .callsFake(acceptAll);
    const records = ['a', 'b', 'c', 'd'].map((key) => record(key));
    await expect(stream.put(records, plentyOfTime)).resolves.toEqual([]);
    expect(puts()).toEqual([
      ['a', 'b', 'c', 'd'],
      ['b', 'd'],
    ]);
  });

  it('holds the records of a key back behind a failed one in later requests', async () => {
    const { kinesis, stream, puts } = setup();
    kinesis.on(PutRecordsCommand).callsFake(async ({ Records = [] }) => ({
      Records: Records.map(({ PartitionKey }: { PartitionKey: string }) =>
        PartitionKey === 'bad' ? refused : accepted,
      ),
    }));
    const first = [record('bad'), ...Array.from({ length: 499 }, () => record('good'))];
    const second = [record('bad'), record('good')];
    const failures = await stream.put([...first, ...second], plentyOfTime);
    expect(failures.map(({ item }) => item)).toEqual([first[0], second[0]]);
    expect(puts().at(-1)).toEqual(['good']);
  });

  it('takes an answer without a word on a record for a failure', async () => {
    const { kinesis, stream } = setup();
    kinesis.on(PutRecordsCommand).resolves({ Records: [] });
    await expect(stream.put([record('a')], plentyOfTime)).resolves.toMatchObject([
      { reason: 'no answer' },
    ]);
  });

  it('hands all back when the stream stays throttled', async () => {
    const { kinesis, stream } = setup();
    kinesis.on(PutRecordsCommand).rejects(throttled());
    await expect(stream.put([record('a'), record('b')], plentyOfTime)).resolves.toHaveLength(2);
  });
});
