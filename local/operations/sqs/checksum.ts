import { createHash } from 'node:crypto';
import type { MessageAttribute } from '../../stores/queue-store.ts';

const STRING_VALUE = 1;
const BINARY_VALUE = 2;

export const md5 = (content: string | Uint8Array): string =>
  createHash('md5').update(content).digest('hex');

/**
 * The checksum that clients compare for message attributes; undefined for none.
 *
 * @see SQS Developer Guide, Calculating the MD5 message digest for message attributes
 */
export function attributesMd5(
  attributes: Readonly<Record<string, MessageAttribute>>,
): string | undefined {
  const names = Object.keys(attributes).sort((a, b) => (a < b ? -1 : 1));
  if (names.length === 0) return undefined;
  return md5(Buffer.concat(names.map((name) => attributeBytes(name, attributes[name]))));
}

function attributeBytes(name: string, attribute: MessageAttribute | undefined): Buffer {
  if (attribute === undefined) return Buffer.alloc(0);
  const { DataType, StringValue, BinaryValue } = attribute;
  const isBinary = DataType.startsWith('Binary');
  const value = isBinary
    ? Buffer.from(BinaryValue ?? '', 'base64')
    : Buffer.from(StringValue ?? '');
  return Buffer.concat([
    withLength(Buffer.from(name)),
    withLength(Buffer.from(DataType)),
    Uint8Array.of(isBinary ? BINARY_VALUE : STRING_VALUE),
    withLength(value),
  ]);
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
