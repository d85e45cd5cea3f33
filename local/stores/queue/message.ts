import type { AwsError } from '../../operations/operation.ts';
import { sqsError } from './error.ts';
import type { MessageAttribute } from './state.ts';

interface Content {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, MessageAttribute>>;
  readonly delaySeconds?: number;
}

const MAX_ATTRIBUTES = 10;
const ATTRIBUTE_NAME = /^(?!\.)(?!.*\.\.)(?!(?:AWS|Amazon)\.)[A-Za-z0-9_.-]{1,256}(?<!\.)$/i;
const DATA_TYPE = /^(String|Number|Binary)(\.[\x20-\x7e]+)?$/;
/** XML 1.0 characters, which SQS kept as its alphabet. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: tab, line feed and carriage return belong to it
const ALPHABET = /^[\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/**
 * @throws {AwsError} `InvalidParameterValue` or `InvalidMessageContents`
 * @see SQS API Reference, SendMessage
 */
export function checkMessage(content: Content, maximumBytes: number): void {
  if (content.body === '') throw invalid('The request must contain the parameter MessageBody.');
  checkText(content.body, 'The message body');
  checkDelay(content.delaySeconds);
  checkAttributes(content.attributes ?? {});
  if (messageBytes(content) > maximumBytes) {
    throw invalid(
      `One or more parameters are invalid. Reason: Message must be shorter than ${maximumBytes} bytes.`,
    );
  }
}

/** Bytes that count against a queue's limit: body, and names, types and values of attributes. */
export function messageBytes({ body, attributes = {} }: Content): number {
  const attributeBytes = Object.entries(attributes).map(
    ([name, { DataType, StringValue, BinaryValue }]) =>
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      Buffer.byteLength(StringValue ?? '') +
      Buffer.byteLength(BinaryValue ?? '', 'base64'),
  );
  return attributeBytes.reduce((sum, bytes) => sum + bytes, Buffer.byteLength(body));
}

function checkDelay(seconds: number | undefined): void {
  if (seconds === undefined || (Number.isInteger(seconds) && seconds >= 0 && seconds <= 900)) {
    return;
  }
  throw invalid(`Value ${seconds} for parameter DelaySeconds is invalid. Reason: 0 to 900.`);
}

function checkAttributes(attributes: Readonly<Record<string, MessageAttribute>>): void {
  const entries = Object.entries(attributes);
  if (entries.length > MAX_ATTRIBUTES) {
    throw invalid(`A message takes ${MAX_ATTRIBUTES} attributes, not ${entries.length}.`);
  }
  for (const [name, attribute] of entries) checkAttribute(name, attribute);
}

function checkAttribute(name: string, { DataType, StringValue, BinaryValue }: MessageAttribute) {
  const which = `Message attribute ${JSON.stringify(name)}`;
  if (!ATTRIBUTE_NAME.test(name)) {
    throw invalid(`${which}: not an attribute name (letters, digits, _ - . and not AWS. first).`);
  }
  if (!DATA_TYPE.test(DataType)) {
    throw invalid(`${which}: type ${JSON.stringify(DataType)} is not String, Number or Binary.`);
  }
  const value = DataType.startsWith('Binary') ? BinaryValue : StringValue;
  if (value === undefined || value === '') throw invalid(`${which} has no value of its type.`);
  if (DataType.startsWith('Number') && !Number.isFinite(Number(value))) {
    throw invalid(`${which}: ${JSON.stringify(value)} is not a number.`);
  }
  if (!DataType.startsWith('Binary')) checkText(value, which);
}

function checkText(text: string, which: string): void {
  if (ALPHABET.test(text)) return;
  throw sqsError(
    'InvalidMessageContents',
    `${which} holds characters outside #x9 | #xA | #xD | #x20-#xD7FF | #xE000-#xFFFD | #x10000-#x10FFFF.`,
  );
}

const invalid = (message: string): AwsError => sqsError('InvalidParameterValue', message);
