/** What subscribers of a topic receive. */

/** As SNS and SQS write it: text, or base64 for binary values. */
export interface NotificationAttribute {
  readonly DataType: string;
  readonly StringValue?: string | undefined;
  readonly BinaryValue?: string | undefined;
}

export interface Notification {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject?: string;
  readonly message: string;
  /** Milliseconds since the Unix epoch. */
  readonly publishedAtMs: number;
  readonly attributes: Readonly<Record<string, NotificationAttribute>>;
}

/** The laptop has no certificate of AWS, so nobody can verify its notifications. */
const UNSIGNED = Buffer.from('not signed: published on a laptop').toString('base64');

const timestampOf = ({ publishedAtMs }: Notification): string =>
  new Date(publishedAtMs).toISOString();

const attributesOf = ({ attributes }: Notification) =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { Type: DataType, Value: BinaryValue ?? StringValue ?? '' },
    ]),
  );

const unsubscribeUrl = (subscriptionArn: string, region: string): string =>
  `https://sns.${region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`;

const certificateUrl = (region: string): string =>
  `https://sns.${region}.amazonaws.com/SimpleNotificationService-laptop.pem`;

const regionOf = (topicArn: string): string => topicArn.split(':')[3] ?? '';

/**
 * The body of a queue's message without raw delivery.
 *
 * @see SNS Developer Guide, Parsing Amazon SNS message formats
 */
export function envelope(notification: Notification, subscriptionArn: string): string {
  const { messageId, topicArn, subject, message } = notification;
  const region = regionOf(topicArn);
  const attributes = attributesOf(notification);
  const body = {
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject !== undefined && { Subject: subject }),
    Message: message,
    Timestamp: timestampOf(notification),
    SignatureVersion: '1',
    Signature: UNSIGNED,
    SigningCertURL: certificateUrl(region),
    UnsubscribeURL: unsubscribeUrl(subscriptionArn, region),
    ...(Object.keys(attributes).length > 0 && { MessageAttributes: attributes }),
  };
  return JSON.stringify(body, null, 2);
}

/** @see Lambda Developer Guide, Using AWS Lambda with Amazon SNS */
export function lambdaEvent(notification: Notification, subscriptionArn: string): unknown {
  const { messageId, topicArn, subject = null, message } = notification;
  const region = regionOf(topicArn);
  return {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: subscriptionArn,
        Sns: {
          Type: 'Notification',
          MessageId: messageId,
          TopicArn: topicArn,
          Subject: subject,
          Message: message,
          Timestamp: timestampOf(notification),
          SignatureVersion: '1',
          Signature: UNSIGNED,
          SigningCertUrl: certificateUrl(region),
          UnsubscribeUrl: unsubscribeUrl(subscriptionArn, region),
          MessageAttributes: attributesOf(notification),
        },
      },
    ],
  };
}
