import { GetQueueUrlCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { deadLetterQueue } from '../../../shared/adapters/dead-letter-queue.ts';
import { DeadLetter } from '../../../shared/core/dead-letter.ts';
import { patientTools, plentyOfTime } from '../../support/retry-tools.ts';

const letter = (sequenceNumber: string, data = 'bm90IGpzb24='): DeadLetter => ({
  v: 1,
  function: 'ingest',
  code: 'MALFORMED_PAYLOAD',
  issues: ['(root): is empty'],
  stream: 'uplinks',
  partitionKey: 'probe-1',
  data,
  sequenceNumber,
  failedAtMs: 1_790_000_000_000,
});

const letters = (count: number, data?: string) =>
  Array.from({ length: count }, (_, at) => letter(String(at), data));

function setup() {
  const client = new SQSClient({ region: 'eu-central-1' });
  const sqs = mockClient(client);
  sqs.on(GetQueueUrlCommand).resolves({ QueueUrl: 'https://queue' });
  sqs.on(SendMessageBatchCommand).callsFake(async ({ Entries = [] }) => ({
    Successful: Entries.map(({ Id }: { Id: string }) => ({ Id })),
  }));
  const queue = deadLetterQueue(client, 'dead-letters', patientTools());
  const entries = () =>
    sqs.commandCalls(SendMessageBatchCommand).map(({ args: [{ input }] }) => input.Entries ?? []);
  return { sqs, queue, entries };
}

describe('the dead-letter queue', () => {
  it('takes a letter with its function and code as attributes', async () => {
    const { queue, entries } = setup();
    await expect(queue.send([letter('7')], plentyOfTime)).resolves.toEqual([]);
    const [sent] = entries().flat();
    expect(DeadLetter.parse(JSON.parse(sent?.MessageBody ?? ''))).toEqual(letter('7'));
    expect(sent?.MessageAttributes).toEqual({
      function: { DataType: 'String', StringValue: 'ingest' },
      code: { DataType: 'String', StringValue: 'MALFORMED_PAYLOAD' },
    });
  });

  it('takes 10 letters and 1 MiB a request, and asks for its URL once', async () => {
    const { sqs, queue, entries } = setup();
    await queue.send(letters(11), plentyOfTime);
    await queue.send(
      letters(4, 'A'.repeat(400_000)).map((one) => ({ ...one, stream: 's' })),
      plentyOfTime,
    );
    expect(entries().map(({ length }) => length)).toEqual([10, 1, 2, 2]);
    expect(sqs.commandCalls(GetQueueUrlCommand)).toHaveLength(1);
  });

  it('sends a letter that was refused again, and hands it back in the end', async () => {
    const { sqs, queue } = setup();
    const failed = { Id: '0', SenderFault: false, Code: 'InternalError' };
    sqs
      .on(SendMessageBatchCommand)
      .resolvesOnce({
        Successful: [{ Id: '0', MessageId: 'm', MD5OfMessageBody: '' }],
        Failed: [{ ...failed, Id: '1' }],
      })
      .resolves({ Successful: [], Failed: [failed] });
    await expect(queue.send(letters(2), plentyOfTime)).resolves.toEqual([
      { item: letter('1'), reason: 'InternalError' },
    ]);
  });

  it('does not send a letter twice when its batch is replayed', async () => {
    const { queue, entries } = setup();
    await queue.send(letters(2), plentyOfTime);
    await queue.send(letters(3), plentyOfTime);
    expect(entries().map((sent) => sent.length)).toEqual([2, 1]);
  });

  it('hands back a letter that no message can hold, and sends the others', async () => {
    const { queue, entries } = setup();
    const huge = letter('1', 'A'.repeat(1_100_000));
    await expect(queue.send([huge, letter('2')], plentyOfTime)).resolves.toEqual([
      { item: huge, reason: 'is larger than a message of SQS' },
    ]);
    expect(entries().map(({ length }) => length)).toEqual([1]);
  });
});
