import { attributesMd5, md5 } from '../../operations/sqs/checksum.ts';
import type { Message, MessageAttribute } from '../../stores/queue-store.ts';
import { regionOf } from '../lambda-environment.ts';

/** One message of the event a function gets. */
export function sqsEventRecord(message: Message, sourceArn: string) {
  const md5OfMessageAttributes = attributesMd5(message.attributes);
  const attributes = Object.entries(message.attributes);
  return {
    messageId: message.messageId,
    receiptHandle: message.receiptHandle,
    body: message.body,
    attributes: message.systemAttributes,
    messageAttributes: Object.fromEntries(
      attributes.map(([name, value]) => [name, attribute(value)]),
    ),
    md5OfBody: md5(message.body),
    ...(md5OfMessageAttributes !== undefined && { md5OfMessageAttributes }),
    eventSource: 'aws:sqs',
    eventSourceARN: sourceArn,
    awsRegion: regionOf(sourceArn),
  };
}

const attribute = ({ DataType, StringValue, BinaryValue }: MessageAttribute) => ({
  ...(StringValue !== undefined && { stringValue: StringValue }),
  ...(BinaryValue !== undefined && { binaryValue: BinaryValue }),
  stringListValues: [],
  binaryListValues: [],
  dataType: DataType,
});
