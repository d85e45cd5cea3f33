import { expect, it } from '@jest/globals';
import { linesOf } from '../../../local/cli/written.ts';

const caller = { kind: 'operator' } as const;
const bytes = (text: string) => new TextEncoder().encode(text);

it.each([
  {
    target: 'Kinesis_20131202.PutRecords',
    input: { StreamName: 'readings', Records: [{ Data: bytes('a') }, { Data: bytes('b') }] },
    lines: ['readings: a', 'readings: b'],
  },
  {
    target: 'AmazonSQS.SendMessageBatch',
    input: { QueueUrl: 'http://x/0/dead-letters', Entries: [{ MessageBody: '{}' }] },
    lines: ['dead-letters: {}'],
  },
  {
    target: 'sns.Publish',
    input: { TopicArn: 'arn:aws:sns:r:0:findings', Message: 'one' },
    lines: ['findings: one'],
  },
  {
    target: 'sns.PublishBatch',
    input: {
      TopicArn: 'arn:aws:sns:r:0:findings',
      PublishBatchRequestEntries: [{ Message: 'one' }, { Message: 'two' }],
    },
    lines: ['findings: one', 'findings: two'],
  },
  {
    target: 'AWSEvents.PutEvents',
    input: { Entries: [{ DetailType: 'Alert', Detail: '{"a":1}' }] },
    lines: ['event Alert: {"a":1}'],
  },
  {
    target: 'POST /topics/{topic+}',
    input: { topic: 'cmd/acme/probe-1', payload: bytes('reboot') },
    lines: ['POST /topics/{topic+}: {"topic":"cmd/acme/probe-1","payload":"reboot"}'],
  },
  { target: 'GET /things/{thingName}', input: { thingName: 'probe-1' }, lines: [] },
  { target: 'DynamoDB_20120810.GetItem', input: { TableName: 'guard', Key: {} }, lines: [] },
])('says what $target writes', ({ target, input, lines }) => {
  expect(linesOf({ target, input, caller })).toEqual(lines);
});
