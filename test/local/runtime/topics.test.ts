import { describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../../../local/core/log.ts';
import { createPublisher } from '../../../local/runtime/topics/publisher.ts';
import { createTopicStore, type Subscription } from '../../../local/stores/topic-store.ts';
import { arn, NOW_MS } from './rules-world.ts';

const TOPIC = arn('sns', 'news');

function setup(changes: Partial<Subscription>, problem?: string) {
  const subscription: Subscription = {
    arn: `${TOPIC}:1`,
    topicArn: TOPIC,
    protocol: 'sqs',
    endpoint: arn('sqs', 'work'),
    raw: false,
    ...changes,
  };
  const sent: unknown[] = [];
  const log: LogEntry[] = [];
  const publish = createPublisher({
    topics: createTopicStore([{ name: 'news', arn: TOPIC, displayName: '' }], [subscription]),
    send: (queue, message) => sent.push([queue, message]),
    invokeAsync: (name, event) => sent.push([name, event]),
    missingGrant: () => problem,
    now: () => NOW_MS,
    uuid: () => 'm-1',
    log: (entry) => log.push(entry),
  });
  return { publish, sent, log };
}

describe('a message to a topic', () => {
  it('reaches a function as an event', () => {
    const endpoint = arn('lambda', 'function:f');
    const { publish, sent } = setup({ protocol: 'lambda', endpoint });
    const attributes = { n: { DataType: 'Binary', BinaryValue: 'AA==' } };
    expect(publish(TOPIC, { message: 'hello', attributes })).toBe('m-1');
    expect(sent).toEqual([
      [
        endpoint,
        {
          Records: [
            {
              EventSource: 'aws:sns',
              EventVersion: '1.0',
              EventSubscriptionArn: `${TOPIC}:1`,
              Sns: expect.objectContaining({
                Type: 'Notification',
                MessageId: 'm-1',
                TopicArn: TOPIC,
                Subject: null,
                Message: 'hello',
                Timestamp: '2023-11-14T22:13:20.000Z',
                MessageAttributes: { n: { Type: 'Binary', Value: 'AA==' } },
              }),
            },
          ],
        },
      ],
    ]);
  });

  it('to a person is written to the log', () => {
    const { publish, log } = setup({ protocol: 'email', endpoint: 'a@example.org' });
    publish(TOPIC, { message: 'hello', subject: 'greeting' });
    expect(log).toMatchObject([
      {
        level: 'info',
        message: 'email to a@example.org, which the laptop does not send: greeting',
      },
    ]);
  });

  it('that may not be delivered is logged, and no error of the publisher', () => {
    const { publish, sent, log } = setup({}, 'no policy');
    publish(TOPIC, { message: 'hello' });
    expect(sent).toEqual([]);
    expect(log).toMatchObject([{ level: 'error', message: expect.stringContaining('no policy') }]);
  });

  it('of more than ten attributes is not delivered raw', () => {
    const { publish, sent, log } = setup({ raw: true });
    const attributes = Object.fromEntries(
      Array.from({ length: 11 }, (_, at) => [`a${at}`, { DataType: 'String', StringValue: 'x' }]),
    );
    publish(TOPIC, { message: 'hello', attributes });
    expect(sent).toEqual([]);
    expect(log).toMatchObject([{ message: expect.stringContaining('takes 10 attributes') }]);
  });

  it.each([
    { what: 'more than 256 KB', publication: { message: 'x'.repeat(262_145) }, says: /too long/ },
    { what: 'no JSON', publication: { message: 'x', perProtocol: true }, says: /failed to parse/ },
    { what: 'no default', publication: { message: '{}', perProtocol: true }, says: /No default/ },
    {
      what: 'a subject of two lines',
      publication: { message: 'x', subject: 'a\nb' },
      says: /Subject/,
    },
  ])('is refused with $what', ({ publication, says }) => {
    const { publish, sent } = setup({});
    expect(() => publish(TOPIC, publication)).toThrow(says);
    expect(sent).toEqual([]);
  });
});
