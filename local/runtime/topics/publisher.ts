import type { Log } from '../../core/log.ts';
import { AwsError } from '../../operations/operation.ts';
import type { OutgoingMessage } from '../../stores/queue-store.ts';
import type { Protocol, Subscription, TopicStore } from '../../stores/topic-store.ts';
import { resourceOf } from '../lambda-authorize.ts';
import {
  envelope,
  lambdaEvent,
  type Notification,
  type NotificationAttribute,
} from './notification.ts';

export interface Publication {
  readonly message: string;
  /** Whether `message` is an object with a text for each protocol, and one for `default`. */
  readonly perProtocol?: boolean | undefined;
  readonly subject?: string | undefined;
  readonly attributes?: Readonly<Record<string, NotificationAttribute>> | undefined;
}

/**
 * Publishes to a topic and answers with the message's id. A subscriber that cannot be reached is no error of the
 * publisher: the log says it.
 *
 * @throws {AwsError} with SNS's codes, before anybody got anything
 */
export type Publish = (topicArn: string, publication: Publication) => string;

export interface PublisherDeps {
  readonly topics: TopicStore;
  readonly send: (queueName: string, message: OutgoingMessage) => unknown;
  readonly invokeAsync: (functionArn: string, event: unknown) => unknown;
  /** Why SNS may not deliver to a queue or function for a topic; undefined where it may. */
  readonly missingGrant: (subscription: Subscription) => string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly uuid: () => string;
  readonly log: Log;
}

const MAX_BYTES = 256 * 1024;
const MAX_QUEUE_ATTRIBUTES = 10;
/** ASCII without control characters, no blank first. */
const SUBJECT = /^[\x21-\x7e][\x20-\x7e]{0,99}$/;

export function createPublisher(deps: PublisherDeps): Publish {
  const { topics, now, uuid, log } = deps;
  return (topicArn, publication) => {
    topics.topic(topicArn);
    const messageFor = checked(publication);
    const { subject, attributes = {} } = publication;
    const messageId = uuid();
    const common = { messageId, topicArn, publishedAtMs: now(), attributes };
    for (const subscription of topics.subscriptions(topicArn)) {
      const message = messageFor(subscription.protocol);
      const notification = { ...common, message, ...(subject !== undefined && { subject }) };
      try {
        deliver(subscription, notification, deps);
      } catch (reason) {
        const why = reason instanceof Error ? reason.message : String(reason);
        log({
          level: 'error',
          source: 'sns',
          message: `${topicArn} could not deliver to ${subscription.endpoint}: ${why}`,
          messageId,
        });
      }
    }
    return messageId;
  };
}

/** @returns the text for a protocol */
function checked({ message, perProtocol = false, subject, attributes = {} }: Publication) {
  if (message === '') throw invalid('Empty message');
  if (sizeOf(message, attributes) > MAX_BYTES) throw invalid('Message too long');
  if (subject !== undefined && !SUBJECT.test(subject)) throw invalid('Subject');
  if (!perProtocol) return () => message;
  const texts = textsOf(message);
  return (protocol: Protocol) => texts[protocol] ?? texts['default'] ?? '';
}

export function sizeOf(
  message: string,
  attributes: Readonly<Record<string, NotificationAttribute>>,
): number {
  const sizes = Object.entries(attributes).map(
    ([name, { DataType, StringValue = '', BinaryValue = '' }]) =>
      Buffer.byteLength(name + DataType + StringValue) + Buffer.byteLength(BinaryValue, 'base64'),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, Buffer.byteLength(message));
}

function textsOf(message: string): Readonly<Record<string, string>> {
  const what = 'Message Structure - ';
  const parsed = parseJson(message);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalid(`${what}JSON message body failed to parse`);
  }
  const texts = Object.entries(parsed).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  if (!texts.some(([protocol]) => protocol === 'default')) {
    throw invalid(`${what}No default entry in JSON message body`);
  }
  return Object.fromEntries(texts);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const invalid = (what: string): AwsError =>
  new AwsError('InvalidParameter', `Invalid parameter: ${what}`);

function deliver(subscription: Subscription, notification: Notification, deps: PublisherDeps) {
  const problem = deps.missingGrant(subscription);
  if (problem !== undefined) throw new Error(problem);
  const { protocol, endpoint, arn } = subscription;
  switch (protocol) {
    case 'sqs':
      deps.send(resourceOf(endpoint), queueMessage(subscription, notification));
      return;
    case 'lambda':
      deps.invokeAsync(endpoint, lambdaEvent(notification, arn));
      return;
    default:
      deps.log({
        level: 'info',
        source: 'sns',
        message: `${protocol} to ${endpoint}, which the laptop does not send: ${notification.subject ?? notification.message}`,
      });
  }
}

function queueMessage({ arn, raw }: Subscription, notification: Notification): OutgoingMessage {
  if (!raw) return { body: envelope(notification, arn) };
  const { message, attributes } = notification;
  const count = Object.keys(attributes).length;
  if (count > MAX_QUEUE_ATTRIBUTES) {
    throw new Error(
      `raw delivery takes ${MAX_QUEUE_ATTRIBUTES} attributes, the message has ${count}`,
    );
  }
  return { body: message, attributes: Object.fromEntries(Object.entries(attributes).map(present)) };
}

/** A member that is undefined would count as given. */
const present = ([name, { DataType, StringValue, BinaryValue }]: [string, NotificationAttribute]) =>
  [
    name,
    {
      DataType,
      ...(StringValue !== undefined && { StringValue }),
      ...(BinaryValue !== undefined && { BinaryValue }),
    },
  ] as const;
