import * as z from 'zod';
import { sizeOf } from '../../runtime/topics/publisher.ts';
import { AwsError, type Operation } from '../operation.ts';
import {
  MessageAttributes,
  MessageStructure,
  publishNeeds,
  type SnsDeps,
  snsOperation,
} from './access.ts';

const Entry = z.strictObject({
  Id: z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, 'letters, digits, _ and -, up to 80'),
  Message: z.string(),
  Subject: z.string().optional(),
  MessageStructure,
  MessageAttributes: MessageAttributes.optional(),
});
type Entry = z.infer<typeof Entry>;

const Input = z.strictObject({
  TopicArn: z.string(),
  PublishBatchRequestEntries: z.array(Entry).default([]),
});

const MAX_ENTRIES = 10;
const MAX_BYTES = 256 * 1024;

export const publishBatch = (deps: SnsDeps): Operation =>
  snsOperation({
    name: 'PublishBatch',
    input: Input,
    needs: ({ TopicArn }) => publishNeeds(deps, TopicArn),
    run: ({ input: { TopicArn, PublishBatchRequestEntries: entries } }) => {
      checkBatch(entries);
      const results = entries.map((entry) => publishEntry(deps, TopicArn, entry));
      return {
        Successful: results.filter((result) => 'MessageId' in result),
        Failed: results.filter((result) => 'Code' in result),
      };
    },
  });

function publishEntry(deps: SnsDeps, topicArn: string, entry: Entry) {
  const {
    Id,
    Message,
    Subject,
    MessageStructure: structure,
    MessageAttributes: attributes,
  } = entry;
  try {
    const publication = {
      message: Message,
      perProtocol: structure === 'json',
      subject: Subject,
      attributes,
    };
    return { Id, MessageId: deps.publish(topicArn, publication) };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { Id, Code: error.code, Message: error.message, SenderFault: true };
  }
}

function checkBatch(entries: readonly Entry[]): void {
  if (entries.length === 0) throw refused('EmptyBatchRequest', 'The batch has no entries.');
  if (entries.length > MAX_ENTRIES) {
    throw refused('TooManyEntriesInBatchRequest', `A batch has at most ${MAX_ENTRIES} entries.`);
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw refused('BatchEntryIdsNotDistinct', 'Two entries of the batch have one Id.');
  }
  const bytes = entries.map(({ Message, MessageAttributes: given = {} }) => sizeOf(Message, given));
  if (bytes.reduce((sum, size) => sum + size, 0) > MAX_BYTES) {
    throw refused('BatchRequestTooLong', `The messages have more than ${MAX_BYTES} bytes.`);
  }
}

const refused = (code: string, message: string): AwsError => new AwsError(code, message);
