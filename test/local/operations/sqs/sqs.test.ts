import {
  BatchEntryIdsNotDistinct,
  BatchRequestTooLong,
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  EmptyBatchRequest,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  QueueDoesNotExist,
  QueueNameExists,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  TooManyEntriesInBatchRequest,
} from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { sqsOperations } from '../../../../local/operations/sqs/index.ts';
import { createKeyStore } from '../../../../local/stores/key-store.ts';
import { createQueueStore } from '../../../../local/stores/queue-store.ts';
import { ACCOUNT, clientOf, FUNCTION_KEY, REGION, serve } from '../endpoint.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/k1`;

async function setup(options: Parameters<typeof serve>[1] = {}) {
  let ids = 0;
  const queues = createQueueStore({ now: Date.now, uuid: () => `id-${++ids}` });
  const keys = createKeyStore({ now: Date.now });
  keys.create({ keyId: 'k1', arn: KEY_ARN });
  let base = '';
  const deps = { queues, keys, accountId: ACCOUNT, region: REGION, endpoint: () => base };
  const server = await serve(sqsOperations(deps), options);
  base = server.url;
  const sqs = new SQSClient(clientOf(server.url));
  const asFunction = new SQSClient(clientOf(server.url, FUNCTION_KEY));
  cleanUps.push(async () => {
    sqs.destroy();
    asFunction.destroy();
    await queues.close();
    await server.close();
  });
  const create = async (Attributes: Record<string, string> = {}) => {
    const { QueueUrl = '' } = await sqs.send(
      new CreateQueueCommand({ QueueName: 'work', Attributes }),
    );
    return QueueUrl;
  };
  return { sqs, asFunction, keys, needs: server.needs, create, url: server.url };
}

describe('messages', () => {
  it('go through the SDK with their attributes, checksums and system attributes', async () => {
    const { sqs, create } = await setup();
    const QueueUrl = await create();
    const sent = await sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'Grüße',
        MessageAttributes: {
          code: { DataType: 'String', StringValue: 'POISON' },
          raw: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255) },
        },
      }),
    );
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      }),
    );
    expect(Messages).toMatchObject([
      {
        MessageId: sent.MessageId,
        Body: 'Grüße',
        MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
        MessageAttributes: {
          code: { StringValue: 'POISON' },
          raw: { BinaryValue: Uint8Array.of(0, 255) },
        },
        Attributes: { SenderId: ACCOUNT, ApproximateReceiveCount: '1' },
      },
    ]);
  });

  it('have the attribute checksum of the SQS guide’s algorithm', async () => {
    const { sqs, create } = await setup();
    const { MD5OfMessageAttributes } = await sqs.send(
      new SendMessageCommand({
        QueueUrl: await create(),
        MessageBody: 'x',
        MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } },
      }),
    );
    // printf '\0\0\0\1a\0\0\0\6String\1\0\0\0\1b' | md5sum
    expect(MD5OfMessageAttributes).toBe('bef8bf215374a0a228d67533b1a488be');
  });

  it('are waited for by a long poll', async () => {
    const { sqs, create } = await setup();
    const QueueUrl = await create();
    const received = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'news' }));
    expect((await received).Messages).toHaveLength(1);
  });

  it('are none where none are', async () => {
    const { sqs, create } = await setup();
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: await create() }));
    expect(Messages).toBeUndefined();
  });

  it('are deleted, kept longer and given back in batches, entry by entry', async () => {
    const { sqs, create } = await setup();
    const QueueUrl = await create();
    const Entries = ['a', 'b', 'c'].map((Id) => ({ Id, MessageBody: Id }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
    );
    const handles = Messages.map(({ ReceiptHandle = '' }) => ReceiptHandle);
    const [first = '', second = '', third = ''] = handles;
    const changed = await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'back', ReceiptHandle: first, VisibilityTimeout: 0 },
          { Id: 'wrong', ReceiptHandle: second, VisibilityTimeout: 43_201 },
        ],
      }),
    );
    expect(changed.Successful).toEqual([{ Id: 'back' }]);
    expect(changed.Failed).toMatchObject([
      { Id: 'wrong', SenderFault: true, Code: 'InvalidParameterValue' },
    ]);
    const deleted = await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'gone', ReceiptHandle: second },
          { Id: 'wrong', ReceiptHandle: 'nonsense' },
        ],
      }),
    );
    expect(deleted.Successful).toEqual([{ Id: 'gone' }]);
    expect(deleted.Failed).toMatchObject([{ Id: 'wrong', Code: 'ReceiptHandleIsInvalid' }]);
    await sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: third, VisibilityTimeout: 0 }),
    );
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: third }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '0',
      VisibilityTimeout: '30',
      QueueArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:work`,
    });
  });

  it('of one batch fail alone, where one has characters that SQS does not take', async () => {
    const { sqs, create } = await setup();
    const { Successful, Failed } = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: await create(),
        Entries: [
          { Id: 'good', MessageBody: 'x' },
          { Id: 'bad', MessageBody: '\u0001' },
        ],
      }),
    );
    expect(Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(Failed).toMatchObject([
      { Id: 'bad', Code: 'InvalidMessageContents', SenderFault: true },
    ]);
  });

  it('of one batch fail where a fault is injected, by the service’s fault', async () => {
    const faults = ({ target }: { target: string }) =>
      target === 'AmazonSQS.SendMessageBatch' ? { failIndexes: [1] } : undefined;
    const { sqs, create } = await setup({ faults });
    const { Successful, Failed } = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: await create(),
        Entries: ['a', 'b'].map((Id) => ({ Id, MessageBody: Id })),
      }),
    );
    expect(Successful?.map(({ Id }) => Id)).toEqual(['a']);
    expect(Failed).toMatchObject([{ Id: 'b', Code: 'InternalError', SenderFault: false }]);
  });
});

describe('queues', () => {
  it('are found by name, listed page by page, changed and emptied', async () => {
    const { sqs, create, url } = await setup();
    const QueueUrl = await create();
    expect(QueueUrl).toBe(`${url}/${ACCOUNT}/work`);
    expect(await sqs.send(new GetQueueUrlCommand({ QueueName: 'work' }))).toMatchObject({
      QueueUrl,
    });
    for (const QueueName of ['a', 'b']) await sqs.send(new CreateQueueCommand({ QueueName }));
    const first = await sqs.send(new ListQueuesCommand({ MaxResults: 2 }));
    expect(first.QueueUrls?.map((text) => text.split('/').at(-1))).toEqual(['a', 'b']);
    const second = await sqs.send(
      new ListQueuesCommand({ MaxResults: 2, NextToken: first.NextToken }),
    );
    expect(second.QueueUrls).toEqual([QueueUrl]);
    expect(second.NextToken).toBeUndefined();
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: '3' } }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['DelaySeconds'] }),
    );
    expect(Attributes).toEqual({ DelaySeconds: '3' });
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  });

  it('are reached by the name in any queue URL, also the one of AWS', async () => {
    const { sqs, create, url } = await setup();
    await create();
    const client = new SQSClient({ ...clientOf(url), useQueueUrlAsEndpoint: false });
    const QueueUrl = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/work`;
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
    expect(QueueUrls).toHaveLength(1);
    client.destroy();
  });

  it('made again with other attributes are refused, with the same ones not', async () => {
    const { sqs, create } = await setup();
    const QueueUrl = await create({ VisibilityTimeout: '7' });
    expect(await create({ VisibilityTimeout: '7' })).toBe(QueueUrl);
    const again = sqs.send(
      new CreateQueueCommand({ QueueName: 'work', Attributes: { VisibilityTimeout: '8' } }),
    );
    await expect(again).rejects.toBeInstanceOf(QueueNameExists);
  });

  it('are refused when FIFO, by name', async () => {
    const { sqs } = await setup();
    const fifo = new CreateQueueCommand({ QueueName: 'a.fifo', Attributes: { FifoQueue: 'true' } });
    await expect(sqs.send(fifo)).rejects.toThrow(/FIFO/);
  });
});

describe('errors are the classes of the SDK', () => {
  const entries = (ids: readonly string[], body = 'x') =>
    ids.map((Id) => ({ Id, MessageBody: body }));

  it('for a queue nobody made, with its code of the query protocol', async () => {
    const { sqs } = await setup();
    const error = await sqs.send(new GetQueueUrlCommand({ QueueName: 'nobody' })).catch((e) => e);
    expect(error).toBeInstanceOf(QueueDoesNotExist);
    expect(error.Code).toBe('AWS.SimpleQueueService.NonExistentQueue');
  });

  it.each([
    { what: 'none', list: entries([]), type: EmptyBatchRequest },
    { what: 'eleven', list: entries('abcdefghijk'.split('')), type: TooManyEntriesInBatchRequest },
    { what: 'two alike', list: entries(['a', 'a']), type: BatchEntryIdsNotDistinct },
    {
      what: 'too long ones',
      list: entries(['a', 'b'], 'x'.repeat(600_000)),
      type: BatchRequestTooLong,
    },
  ])('for a batch of $what', async ({ list, type }) => {
    const { sqs, create } = await setup();
    const batch = new SendMessageBatchCommand({ QueueUrl: await create(), Entries: list });
    await expect(sqs.send(batch)).rejects.toBeInstanceOf(type);
  });

  it('for a message over 1 MiB, and a handle that is none', async () => {
    const { sqs, create } = await setup();
    const QueueUrl = await create();
    const long = new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(1_048_577) });
    await expect(sqs.send(long)).rejects.toThrow(/shorter than 1048576 bytes/);
    const strange = new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'nonsense' });
    await expect(sqs.send(strange)).rejects.toBeInstanceOf(ReceiptHandleIsInvalid);
  });

  it.each([
    { input: { MaxNumberOfMessages: 11 }, says: /MaxNumberOfMessages/ },
    { input: { WaitTimeSeconds: 21 }, says: /WaitTimeSeconds/ },
    { input: { VisibilityTimeout: -1 }, says: /VisibilityTimeout/ },
  ])('for $input', async ({ input, says }) => {
    const { sqs, create } = await setup();
    const receive = new ReceiveMessageCommand({ QueueUrl: await create(), ...input });
    await expect(sqs.send(receive)).rejects.toThrow(says);
  });
});

describe('a function', () => {
  it('needs the queue’s key where the queue is encrypted', async () => {
    const { asFunction, needs, create } = await setup();
    const QueueUrl = await create({ KmsMasterKeyId: 'k1' });
    await asFunction.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    await asFunction.send(new ReceiveMessageCommand({ QueueUrl }));
    const queue = `arn:aws:sqs:${REGION}:${ACCOUNT}:work`;
    expect(needs.map(({ action, resource }) => [action, resource])).toEqual([
      ['sqs:SendMessage', queue],
      ['kms:GenerateDataKey', KEY_ARN],
      ['kms:Decrypt', KEY_ARN],
      ['sqs:ReceiveMessage', queue],
      ['kms:Decrypt', KEY_ARN],
    ]);
    expect(needs[1]?.context).toMatchObject({ 'kms:ViaService': `sqs.${REGION}.amazonaws.com` });
  });

  it.each([
    { denied: 'sqs:SendMessage', name: 'AccessDeniedException' },
    { denied: 'kms:GenerateDataKey', name: 'KmsAccessDenied' },
  ])('without $denied is refused with $name, which names it', async ({ denied, name }) => {
    const { asFunction, create } = await setup({ denied: [denied] });
    const send = new SendMessageCommand({
      QueueUrl: await create({ KmsMasterKeyId: 'k1' }),
      MessageBody: 'x',
    });
    await expect(asFunction.send(send)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(denied),
    });
  });

  it('cannot use a queue whose key is disabled', async () => {
    const { sqs, keys, create } = await setup();
    const QueueUrl = await create({ KmsMasterKeyId: 'k1' });
    keys.create({ keyId: 'k1', arn: KEY_ARN, state: 'Disabled' });
    const send = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    await expect(send).rejects.toMatchObject({ name: 'KmsDisabled' });
  });
});
