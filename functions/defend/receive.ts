import * as z from 'zod';
import { check } from '../../shared/core/check.ts';
import { deadLetter } from '../../shared/core/dead-letter.ts';
import { RejectedError, reject } from '../../shared/core/errors.ts';
import { incidentId } from '../../shared/core/security/incident.ts';
import { type Notification, parseNotification } from '../../shared/core/security/notification.ts';
import type { QueueMessage } from '../../shared/lambda/queue-event.ts';
import { folded } from './fold.ts';
import { type Run, topicArn } from './run.ts';

/** A notification, the message it came in, and the incident it belongs to. */
export interface Read {
  readonly message: QueueMessage;
  readonly notification: Notification;
  readonly incident: string;
}

/** What SNS puts into a queue. */
const Delivery = z.object({
  Type: z.literal('Notification'),
  TopicArn: z.string(),
  Message: z.string(),
});

/**
 * Reads what came over the own topic into the own queue; the rest goes to the dead letters with its reason.
 *
 * @param failed  takes the ids of messages that even that did not work for
 */
export async function readAll(
  messages: readonly QueueMessage[],
  run: Run,
  failed: Set<string>,
): Promise<readonly Read[]> {
  const read: Read[] = [];
  for (const message of messages) {
    try {
      for (const one of readMessage(message, run)) {
        const notification = await folded(one, run);
        const incident = incidentId(notification.subject, notification.cause);
        read.push({ message, notification, incident });
      }
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      if (!(await bury(message, error, run))) failed.add(message.id);
    }
  }
  return read;
}

/** Who may invoke the function itself is IAM's to say; what it is handed has to be of the own topic and queue. */
function readMessage(
  { body, accountId, queue }: QueueMessage,
  { place, findingsTopic }: Run,
): readonly Notification[] {
  const { TopicArn, Message } = check(Delivery, parseJson(body), 'MALFORMED_NOTIFICATION');
  if (accountId !== place.accountId || queue !== findingsTopic) {
    reject('FOREIGN_NOTIFICATION', 'eventSourceARN', 'is not the queue of findings');
  }
  if (TopicArn !== topicArn(place, findingsTopic)) {
    reject('FOREIGN_NOTIFICATION', 'TopicArn', 'is not the topic of findings');
  }
  return parseNotification(Message, { accountId: place.accountId });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return reject('MALFORMED_NOTIFICATION', '(root)', 'is not JSON');
  }
}

/** The letter keeps the message as it came: sent to the queue again, it is what it was. */
async function bury(
  { id, body }: QueueMessage,
  error: RejectedError,
  { deadLetters, findingsTopic, log, now, timeLeft }: Run,
): Promise<boolean> {
  const origin = {
    stream: findingsTopic,
    isQueue: true as const,
    partitionKey: id,
    sequenceNumber: id,
    data: Buffer.from(body).toString('base64'),
  };
  const failures = await deadLetters.send([deadLetter('defend', origin, error, now())], timeLeft);
  log('warn', 'notification rejected', { code: error.code, issues: error.issues, messageId: id });
  return failures.length === 0;
}
